"""trace_step on every construct a step may be made of, on shapes alone."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from flax import nnx
from flax.training.train_state import TrainState
from jax.extend.core import Jaxpr, jaxpr_as_fun, jaxprs_in_params
from jax.sharding import PartitionSpec as P
from jaxlib.xla_client import XlaComputation

from cfp.formats.factory import build_step, load_factory
from cfp.ir import ArrayInfo, StaticArgument, TracedStep
from cfp.passes.trace_step import trace_step

pytestmark = pytest.mark.smoke

W = jnp.arange(12.0).reshape(4, 3) / 10
X = jnp.arange(8.0).reshape(2, 4) / 10
ROOT = Path(__file__).resolve().parents[2]


def abstract(tree):
    return jax.eval_shape(lambda: tree)


def loss(w, x):
    return jnp.tanh(x @ w).sum()


def plain(w, x):
    return w - 0.1 * jax.grad(loss)(w, x)


def trees(state, batch, *rest, scale=1.0):
    w, (x,) = state["w"] * scale, batch
    return {"w": plain(w, x), "more": [part.sum() for part in rest]}, None


def scanned(w, x):
    def body(x, _):
        return jnp.tanh(x @ w @ w.T), x.sum()

    return jax.grad(lambda x: jax.lax.scan(body, x, length=3)[0].sum())(x)


def branched(w, x):
    return jax.lax.cond(x.sum() > 0, plain, lambda w, x: w + x.sum(), w, x)


def looped(w, x):
    def body(state):
        return state[0] + 1, jnp.sin(state[1] @ w @ w.T)

    return jax.lax.while_loop(lambda state: state[0] < 3, body, (0, x))[1]


def recomputed(w, x):
    return jax.grad(jax.checkpoint(loss))(w, x)


@jax.custom_vjp
def doubled(x):
    return 2 * jnp.cos(x)


doubled.defvjp(lambda x: (doubled(x), x), lambda x, given: (given * x,))


def with_custom_vjp(w, x):
    return jax.grad(lambda w: doubled(x @ w).sum())(w) + doubled(w)


def with_custom_jvp(w, x):
    return jax.nn.relu(x @ w), jax.grad(lambda w: jax.nn.relu(x @ w).sum())(w)


def random(w, key):
    return w + jax.random.normal(jax.random.split(key)[0], w.shape)


def accumulated(w, batches):
    def add(gradient, x):
        return gradient + jax.grad(loss)(w, x), loss(w, x)

    return jax.lax.scan(add, jnp.zeros_like(w), batches)


def sharded_map(w, x):
    mesh = jax.make_mesh((2,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    local = jax.shard_map(
        lambda w, x: jax.lax.psum(x @ w, "data"),
        mesh=mesh,
        in_specs=(P(), P("data")),
        out_specs=P(),
    )
    return local(w, x)


def with_reference(w, x):
    held = jax.new_ref(w)
    held[...] += x.sum()
    return held[...]


def jitted_inside(w, x):
    return jax.jit(plain)(w, x) + jax.jit(plain)(w, 2 * x)


CONSTRUCTS = {
    "plain": (plain, (W, X)),
    "trees": (trees, ({"w": W}, (X,), X, X)),
    "scanned": (scanned, (W, X)),
    "branched": (branched, (W, X)),
    "looped": (looped, (W, X)),
    "recomputed": (recomputed, (W, X)),
    "with_custom_vjp": (with_custom_vjp, (W, X)),
    "with_custom_jvp": (with_custom_jvp, (W, X)),
    "random": (random, (W, jax.random.key(0))),
    "random_old": (random, (W, jax.random.PRNGKey(0))),
    "accumulated": (accumulated, (W, jnp.stack([X, X]))),
    "sharded_map": (sharded_map, (W, X)),
    "with_reference": (with_reference, (W, X)),
    "jitted_inside": (jitted_inside, (W, X)),
    "nothing": (lambda: (), ()),
    "unused": (lambda w, x: w, (W, X)),  # noqa: ARG005
    "vmapped": (jax.vmap(plain, in_axes=(None, 0)), (W, jnp.stack([X, X]))),
    "partial": (partial(trees, scale=2.0), ({"w": W}, (X,))),
}


def tags(jaxpr: Jaxpr) -> list[str]:
    found = []
    for eqn in jaxpr.eqns:
        found.append(str(eqn.source_info.name_stack).rpartition("cfp:")[2].rstrip(")"))
        for nested in jaxprs_in_params(dict(sorted(eqn.params.items()))):
            found += tags(nested)
    return found


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_a_construct_is_traced(name: str) -> None:
    fun, args = CONSTRUCTS[name]
    step = trace_step(fun, abstract(args))
    step.verify()
    assert tags(step.jaxpr.jaxpr) == [one.path for one in step.equations]
    shape = XlaComputation(step.hlo).program_shape()
    results = shape.result_shape()
    assert len(shape.parameter_shapes()) == len(step.arguments) == len(jax.tree.leaves(args))
    assert len(step.results) == (len(results.tuple_shapes()) if results.is_tuple() else 1)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_the_tagged_jaxpr_computes_the_same(name: str) -> None:
    fun, args = CONSTRUCTS[name]
    step = trace_step(fun, args)
    results = jax.jit(jaxpr_as_fun(step.jaxpr))(*jax.tree.leaves(args))
    again = jax.tree.unflatten(step.out_tree, results)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), again, jax.jit(fun)(*args))


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_arrays_and_shapes_give_the_same_step(name: str) -> None:
    fun, args = CONSTRUCTS[name]
    assert trace_step(fun, args) == trace_step(fun, abstract(args))


def test_arguments_and_results_are_named() -> None:
    step = trace_step(trees, abstract(({"w": W}, (X,))), {"scale": abstract(jnp.float32(2))})
    assert step.arguments == (
        ArrayInfo("state['w']", (4, 3), "float32"),
        ArrayInfo("batch[0]", (2, 4), "float32"),
        ArrayInfo("scale", (), "float32"),
    )
    assert step.results == (ArrayInfo("result[0]['w']", (4, 3), "float32", continues=0),)
    rebuilt = jax.tree.unflatten(step.in_tree, ["w", "x", "scale"])
    assert rebuilt == (({"w": "w"}, ("x",)), {"scale": "scale"})


def test_a_number_is_an_array() -> None:
    step = trace_step(jnp.multiply, (abstract(X), 0.5))
    assert [one.shape for one in step.arguments] == [(2, 4), ()]


def powered(x, exponent, *, mode="up"):
    return x**exponent if mode == "up" else x**-exponent


@pytest.mark.parametrize(
    "choice",
    [
        {"static_argnums": 1, "static_argnames": "mode"},
        {"static_argnums": (-1,), "static_argnames": ("mode",)},
        {"static_argnames": ("exponent", "mode")},
    ],
)
def test_static_arguments_are_part_of_the_program(choice) -> None:
    step = trace_step(powered, (X, 3), {"mode": "down"}, **choice)
    assert [one.name for one in step.arguments] == ["x"]
    assert step.static_arguments == (
        StaticArgument("exponent", "3"),
        StaticArgument("mode", "'down'"),
    )
    assert [one.primitive for one in step.equations] == ["integer_pow"]


def test_donated_arguments_are_marked() -> None:
    step = trace_step(trees, abstract(({"w": W}, (X,))), donate_argnums=0)
    assert [one.donated for one in step.arguments] == [True, False]


def test_a_jitted_step_keeps_its_own_choices() -> None:
    jitted = jax.jit(powered, static_argnums=1, static_argnames="mode", donate_argnums=0)
    step = trace_step(jitted, (abstract(X), 2), {"mode": "up"})
    assert step.arguments == (ArrayInfo("x", (2, 4), "float32", donated=True),)
    assert step.name == "powered"


def primitives(step: TracedStep) -> dict[str, str]:
    return {one.path: one.primitive for one in step.equations}


def test_nested_equations_are_numbered_through() -> None:
    found = primitives(trace_step(looped, abstract((W, X))))
    (loop,) = (path for path, primitive in found.items() if primitive == "while")
    inside = {path: found[path] for path in found if path.startswith(f"{loop}/")}
    assert sorted(inside.values()) == sorted(
        ["lt", "add", "transpose", "dot_general", "dot_general", "sin"]
    )
    assert set(inside) == {f"{loop}/{number}" for number in range(len(inside))}


def test_provenance_survives_in_nested_equations() -> None:
    def backward(step: TracedStep) -> list[bool]:
        dots = [one for one in step.equations if one.primitive == "dot_general"]
        return ["transpose(jvp(" in one.name_stack for one in dots]

    assert backward(trace_step(plain, abstract((W, X)))) == [False, True]
    assert backward(trace_step(scanned, abstract((W, X)))) == [False, False, True, True]
    step = trace_step(recomputed, abstract((W, X)))
    again = [one for one in step.equations if "rematted_computation" in one.name_stack]
    assert {"dot_general", "tanh"} <= {one.primitive for one in again}


def test_an_equation_knows_the_users_line() -> None:
    step = trace_step(with_custom_jvp, abstract((W, X)))
    line = with_custom_jvp.__code__.co_firstlineno + 1
    assert {one.source_file for one in step.equations} == {__file__}
    assert {one.source_line for one in step.equations} == {line}
    nested = next(one for one in step.equations if one.primitive == "max")
    assert nested.source_function == "with_custom_jvp"


def test_a_library_step_has_the_librarys_lines() -> None:
    update = optax.sgd(0.1).update
    step = trace_step(update, ({"w": abstract(W)}, (optax.EmptyState(),) * 2))
    assert {"/optax/" in one.source_file for one in step.equations} == {True}


class Net(nn.Module):
    """Two dense layers in flax linen."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(nn.gelu(nn.Dense(8)(x)))


def linen_step(state: TrainState, x):
    def mean(params):
        return state.apply_fn({"params": params}, x).mean()

    return state.apply_gradients(grads=jax.grad(mean)(state.params))


def test_a_linen_train_state() -> None:
    net = Net()
    state = jax.eval_shape(
        lambda: TrainState.create(
            apply_fn=net.apply,
            params=net.init(jax.random.key(0), X)["params"],
            tx=optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3)),
        )
    )
    step = trace_step(linen_step, (state, abstract(X)), donate_argnums=0)
    step.verify()
    names = [one.name for one in step.arguments]
    assert "state.params['Dense_0']['kernel']" in names
    assert sum(one.donated for one in step.arguments) == len(names) - 1
    dense = [one for one in step.equations if "Dense_1" in one.name_stack]
    assert {"dot_general", "add"} <= {one.primitive for one in dense}
    assert {one.source_file for one in step.equations} == {__file__}
    assert jax.tree.structure(jax.tree.unflatten(step.out_tree, names[:-1])) == step.out_tree


class NnxNet(nnx.Module):
    """A dense layer in flax nnx, with a counter that every call moves on."""

    def __init__(self, rngs: nnx.Rngs):
        self.wide = nnx.Linear(4, 8, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        return self.drop(nnx.relu(self.wide(x)))


def test_an_nnx_step_with_split_and_merge() -> None:
    net = NnxNet(nnx.Rngs(0))
    optimizer = nnx.Optimizer(net, optax.adam(1e-3), wrt=nnx.Param)
    graph, state = nnx.split((net, optimizer))

    def step(state, x):
        net, optimizer = nnx.merge(graph, state)
        optimizer.update(net, nnx.grad(lambda net: net(x).sum())(net))
        return nnx.state((net, optimizer))

    traced = trace_step(step, (abstract(state), abstract(X)))
    traced.verify()
    shapes = [(one.shape, one.dtype) for one in traced.arguments]
    assert [(one.shape, one.dtype) for one in traced.results] == shapes[:-1]


def test_an_nnx_step_may_drop_its_counters() -> None:
    graph, state = nnx.split(NnxNet(nnx.Rngs(0)))
    traced = trace_step(lambda state, x: nnx.merge(graph, state)(x), (state, X))
    assert [one.shape for one in traced.results] == [(2, 8)]


def test_a_factory_named_on_the_command_line() -> None:
    factory = load_factory("cfp_test.gpt:train_step")
    built = build_step(factory, ["--num_layer", "1", "--dropout", "0.1"])
    step = trace_step(built.step, built.args, built.kwargs)
    assert step.arguments[-1] == ArrayInfo("rng", (), "key<fry>")


TRACE_IN_ANOTHER_PROCESS = """
import hashlib, jax
from cfp.passes.trace_step import trace_step
from cfp_test import gpt
traced = trace_step(*gpt.train_step(num_layer=1, scan=True, dropout=0.1))
print(hashlib.sha256(traced.to_json().encode()).hexdigest())
"""


def test_every_process_traces_the_same_step() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", TRACE_IN_ANOTHER_PROCESS],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "JAX_PLATFORMS": "cpu", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
