"""What trace_step refuses: the whole text, with the user's line."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.experimental import io_callback
from jax.extend.core import Primitive

from cfp import errors
from cfp.passes.trace_step import trace_step

pytestmark = pytest.mark.smoke

X = jax.ShapeDtypeStruct((2, 4), jnp.float32)


def line_of(fun: Callable[..., object], offset: int) -> str:
    """The place `offset` lines below the `def` of a function of this file."""
    return f"{__file__}:{fun.__code__.co_firstlineno + offset} in {fun.__qualname__}"


def refusal(fun: Callable[..., object], *args: object, **choices: object) -> str:
    with pytest.raises(errors.CfpError) as found:
        trace_step(fun, args, **choices)
    return str(found.value)


def branching(x):
    if x.sum() > 0:
        return x
    return -x


def counting(x):
    return range(int(x[0, 0]))


def asking_numpy(x):
    return np.sin(x)


def indexing(x):
    return [1, 2, 3][x[0, 0].astype(int)]


def masking(x):
    return x[x > 0]


@pytest.mark.parametrize(
    ("fun", "cause"),
    [
        (branching, "Attempted boolean conversion of traced array with shape bool[]."),
        (counting, "Abstract tracer value encountered where concrete value is expected"),
        (asking_numpy, "The numpy.ndarray conversion method __array__() was called on"),
        (indexing, "The __index__() method was called on traced array with shape int32[]"),
        (masking, "Array boolean indices must be concrete; got bool[2,4]"),
    ],
)
def test_a_step_that_needs_values(fun: Callable[..., object], cause: str) -> None:
    what, where, cure = refusal(fun, X).split("\n")
    assert what.startswith(
        f"step `{fun.__name__}` depends in Python on the value of an array: {cause}"
    )
    assert where == f"  where: {line_of(fun, 1)}"
    assert cure.startswith("  cure:  decide with jnp.where or jax.lax.cond")


KEPT = []


def keeping(x):
    KEPT.append(x * 2)
    return x


def using_what_was_kept(x):
    return x + KEPT[0]


def test_a_leaked_array() -> None:
    KEPT.clear()
    trace_step(keeping, (X,))
    expected = errors.LeakedTracerError(
        "using_what_was_kept", "it is float32[2,4] and no argument", line_of(using_what_was_kept, 1)
    )
    assert refusal(using_what_was_kept, X) == str(expected)


def printing(x):
    def body(total, row):
        jax.debug.print("{}", total)
        return total + row, None

    return jax.lax.scan(body, x[0], x)[0]


def sending(x):
    io_callback(lambda value: None, None, x, ordered=True)  # noqa: ARG005
    return x


def test_a_step_that_prints() -> None:
    place = line_of(printing, 2) + ".<locals>.body"
    expected = errors.SideEffectError("printing", "debug_print", "DebugEffect", place)
    assert refusal(printing, X) == str(expected)


def test_a_step_that_sends() -> None:
    expected = errors.SideEffectError(
        "sending", "io_callback", "OrderedIOEffect", line_of(sending, 1)
    )
    assert refusal(sending, X) == str(expected)


def test_a_step_that_writes_to_a_reference_from_outside() -> None:
    outside = jax.new_ref(jnp.zeros((2, 4)))

    def writing(x):
        outside[...] = x
        return x

    expected = errors.SideEffectError("writing", "swap", "WriteEffect", line_of(writing, 1))
    assert refusal(writing, X) == str(expected)


def two(state, batch, *, mode="fast"):
    return state


@pytest.mark.parametrize(
    ("args", "kwargs", "argument", "kind"),
    [
        (("a", X), {}, "state", "str"),
        (({"w": X, "name": "a"}, X), {}, "state['name']", "str"),
        ((X, (X, [object()])), {}, "batch[1][0]", "object"),
        ((X, X), {"mode": "slow"}, "mode", "str"),
    ],
)
def test_an_argument_that_is_no_array(args, kwargs, argument: str, kind: str) -> None:
    expected = errors.NonArrayArgumentError("two", argument, kind)
    assert refusal(two, *args, kwargs=kwargs) == str(expected)


@pytest.mark.parametrize(
    ("args", "problem"),
    [((X,), "missing a required argument: 'batch'"), ((X, X, X), "too many positional arguments")],
)
def test_arguments_that_do_not_fit(args, problem: str) -> None:
    expected = errors.WrongArgumentsError("two", "(state, batch, *, mode='fast')", problem)
    assert refusal(two, *args) == str(expected)


def misshapen(x):
    return x @ x


def test_a_step_that_raises() -> None:
    expected = errors.StepRaisedError(
        "misshapen",
        "TypeError: dot_general requires contracting dimensions to have the same shape, got (4,) "
        "and (2,).",
        line_of(misshapen, 1),
    )
    assert refusal(misshapen, X) == str(expected)


unknown_primitive = Primitive("mine")
unknown_primitive.def_abstract_eval(lambda x: x)


def without_lowering(x):
    return unknown_primitive.bind(x)


def test_a_step_without_hlo() -> None:
    what, where, _ = refusal(without_lowering, X).split("\n")
    assert what.startswith("step `without_lowering` was traced but has no HLO: ")
    assert "mine" in what
    assert where.startswith("  where: ")


class Net(nnx.Module):
    """One dense layer."""

    def __init__(self):
        self.wide = nnx.Linear(4, 8, rngs=nnx.Rngs(0))


def in_place(net, optimizer, x):
    optimizer.update(net, nnx.grad(lambda net: net.wide(x).sum())(net))


def test_an_update_that_would_be_lost() -> None:
    net = Net()
    optimizer = nnx.Optimizer(net, optax.sgd(0.1), wrt=nnx.Param)
    expected = errors.LostUpdateError("in_place", "net.wide.bias.value")
    assert refusal(in_place, net, optimizer, X) == str(expected)
