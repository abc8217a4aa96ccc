"""trace_step: any pure JAX step, on shapes alone, to a TracedStep whose HLO points at its source.

The step is traced once. Every equation, however deep, then gets a last entry in its name stack, the
tag `cfp:<path>`, and the tagged jaxpr is lowered. JAX writes the name stack into the op_name of the
HLO instructions, so the user's own scopes stay readable and the tag stands before the primitive:

    jit(step)/transpose(jvp(GPT))/layer_0/query/cfp:412/dot_general

The last tag of an op_name counts: calls and loops put their own in front of it. The name stack of a
nested equation is made whole, so that `transpose(` and `rematted_computation` stand before the last
tag even in a loop body. One equation can become several instructions; (tag, shape) tells which of
them is its result.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from cfp import _jax, errors
from cfp.ir.continued import continued
from cfp.ir.step import ArrayInfo, StaticArgument, TracedStep

Step = Callable[..., Any]
Positions = int | Sequence[int]
Names = str | Sequence[str]

_NEEDS_A_VALUE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


def trace_step(  # noqa: PLR0913 - the keywords are those of jax.jit
    fun: Step,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    static_argnums: Positions = (),
    static_argnames: Names = (),
    donate_argnums: Positions = (),
) -> TracedStep:
    """Traces `fun(*args, **kwargs)`; arrays and `jax.ShapeDtypeStruct`s are equally good arguments.

    A `fun` that is already jitted keeps the static and donated arguments it was jitted with; which
    are static is then known to JAX alone and not recorded.
    """
    kwargs = kwargs or {}
    name = _name_of(fun)
    named = _name_arguments(name, fun, args, kwargs)
    if isinstance(fun, jax.stages.Wrapped):
        jitted, static = fun, ()
    else:
        static = _static_arguments(named, fun, static_argnums, static_argnames)
        _refuse_non_arrays(name, named, static)
        jitted = jax.jit(
            _keeping_updates(name, fun),
            static_argnums=_given(static_argnums),
            static_argnames=_given(static_argnames),
            donate_argnums=donate_argnums,
        )
    traced = _trace(name, jitted, args, kwargs)
    tagged, tags = _jax.tag_equations(traced.jaxpr)
    _refuse_side_effects(name, traced.jaxpr, tags)
    _refuse_captured_arrays(name, traced, tags)
    arguments = _arguments(traced)
    return TracedStep(
        name=name,
        hlo=_lower(name, tagged),
        arguments=arguments,
        results=continued(arguments, _arrays(_jax.result_names(tagged), tagged.out_avals)),
        equations=tuple(tag.equation for tag in tags),
        static_arguments=tuple(StaticArgument(one.name, repr(one.value)) for one in static),
        jaxpr=tagged,
        in_tree=traced.in_tree,
        out_tree=traced.out_tree,
    )


# ---- arguments


def _name_of(fun: Step) -> str:
    while isinstance(fun, functools.partial):
        fun = fun.func
    return getattr(fun, "__name__", type(fun).__name__)


class _Argument(NamedTuple):
    name: str
    position: int | None
    value: Any


def _name_arguments(
    step: str, fun: Step, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[_Argument]:
    """The arguments under the names of the parameters that take them."""
    signature = inspect.signature(fun)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise errors.WrongArgumentsError(step, str(signature), str(error)) from error
    positional = _positional_parameters(signature)
    names = [*positional, *(f"args[{number}]" for number in range(len(positional), len(args)))]
    return [
        *(_Argument(names[index], index, value) for index, value in enumerate(args)),
        *(
            _Argument(key, positional.index(key) if key in positional else None, value)
            for key, value in kwargs.items()
        ),
    ]


def _positional_parameters(signature: inspect.Signature) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in signature.parameters.values() if one.kind in kinds]


def _static_arguments(
    named: list[_Argument], fun: Step, static_argnums: Positions, static_argnames: Names
) -> tuple[_Argument, ...]:
    """The arguments that jit will take as part of the program."""
    numbers = [static_argnums] if isinstance(static_argnums, int) else static_argnums
    names = [static_argnames] if isinstance(static_argnames, str) else static_argnames
    total = max(
        1,
        len(_positional_parameters(inspect.signature(fun))),
        *(one.position + 1 for one in named if one.position is not None),
    )
    positions = {number % total for number in numbers}
    return tuple(one for one in named if one.position in positions or one.name in names)


def _given(choice: Any) -> Any:
    """None for an empty choice: jit then reads names as positions too, and positions as names."""
    return None if choice == () else choice


def _refuse_non_arrays(step: str, named: list[_Argument], static: tuple[_Argument, ...]) -> None:
    static_names = {one.name for one in static}
    for argument in named:
        if argument.name in static_names:
            continue
        for path, leaf in jax.tree.leaves_with_path(argument.value):
            if not _is_array(leaf):
                place = argument.name + jax.tree_util.keystr(path)
                raise errors.NonArrayArgumentError(step, place, type(leaf).__name__)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (bool, int, float, complex)) or (
        hasattr(leaf, "shape") and hasattr(leaf, "dtype")
    )


def _arguments(traced: jax.stages.Traced) -> tuple[ArrayInfo, ...]:
    donated = [one.donated for one in jax.tree.leaves(traced.args_info)]
    return _arrays(_jax.argument_names(traced.jaxpr), traced.jaxpr.in_avals, donated)


def _arrays(
    names: Sequence[str], avals: Sequence[Any], donated: Sequence[bool] | None = None
) -> tuple[ArrayInfo, ...]:
    donated = donated or [False] * len(avals)
    return tuple(
        ArrayInfo(name, tuple(aval.shape), str(aval.dtype), gone)
        for name, aval, gone in zip(names, avals, donated, strict=True)
    )


# ---- tracing and lowering


def _trace(
    step: str, jitted: jax.stages.Wrapped, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> jax.stages.Traced:
    try:
        args, kwargs = jax.tree.map(_shape_of, (tuple(args), dict(kwargs)))
        return jitted.trace(*args, **kwargs)
    except errors.CfpError:
        raise
    except _NEEDS_A_VALUE as error:
        raise errors.ValueNeededError(step, _first_line(error), _raised_at(error)) from error
    except jax.errors.UnexpectedTracerError as error:
        raise errors.LeakedTracerError(step, _first_line(error), _raised_at(error)) from error
    except Exception as error:
        cause = f"{type(error).__name__}: {_first_line(error)}"
        raise errors.StepRaisedError(step, cause, _raised_at(error)) from error


def _shape_of(leaf: Any) -> Any:
    """An array's shape and type: where it lies, on which devices, is not the step's business."""
    if not isinstance(leaf, jax.Array) or isinstance(leaf, Tracer):
        return leaf
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=getattr(leaf, "weak_type", False))


def _lower(step: str, jaxpr: ClosedJaxpr) -> bytes:
    """The HLO of a jaxpr, with one parameter per argument even where the step ignores it."""
    evaluate = jaxpr_as_fun(jaxpr)

    def flat_step(*arrays: Any) -> Any:
        return evaluate(*arrays)

    flat_step.__name__ = step
    try:
        with _jax.one_source_line():
            lowered = jax.jit(flat_step, keep_unused=True).lower(*jaxpr.in_avals)
        hlo: Any = lowered.compiler_ir("hlo")
        return _jax.without_module_id(hlo.as_serialized_hlo_module_proto())
    except Exception as error:
        cause = f"{type(error).__name__}: {_first_line(error)}"
        raise errors.NotLowerableError(step, cause, _raised_at(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _raised_at(error: Exception) -> str:
    return str(_jax.raising_line(error) or "inside JAX, at no line of yours")


# ---- what a step may not do


def _keeping_updates(step: str, fun: Step) -> Step:
    """`fun`, but it raises where it writes into an object that jit then throws away.

    jit hands a step copies of its arguments. What an in-place optimizer (flax nnx) writes into
    these copies is lost unless it is returned; integers (counters) may be lost on purpose.
    """

    @functools.wraps(fun)
    def watched(*args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(fun).bind(*args, **kwargs).arguments
        before = jax.tree.leaves(bound)
        results = fun(*args, **kwargs)
        kept = {id(leaf) for leaf in [*before, *jax.tree.leaves(results)]}
        for path, leaf in jax.tree.leaves_with_path(bound):
            if id(leaf) not in kept and _is_state(path, leaf):
                place = f"{path[0].key}{jax.tree_util.keystr(path[1:])}"
                raise errors.LostUpdateError(step, place)
        return results

    return watched


def _is_state(path: Sequence[Any], leaf: Any) -> bool:
    """Whether a leaf is real numbers held by an object; dicts and lists are changed freely."""
    in_an_object = isinstance(path[-1], jax.tree_util.GetAttrKey)
    return in_an_object and isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact)


def _refuse_side_effects(step: str, jaxpr: ClosedJaxpr, tags: list[_jax.Tag]) -> None:
    """Blames the innermost equation for an effect that is left on the whole step."""
    escaping = {effect for effect in jaxpr.effects if _jax.is_side_effect(effect)}
    blamed = [tag for tag in tags if not escaping.isdisjoint(tag.eqn.effects)]
    if not blamed:
        return
    innermost = blamed[0].equation
    for _, equation in blamed[1:]:
        if equation.path.startswith(f"{innermost.path}/"):
            innermost = equation
    effect = min(type(one).__name__ for one in escaping)
    raise errors.SideEffectError(step, innermost.primitive, effect, innermost.source)


def _refuse_captured_arrays(step: str, traced: jax.stages.Traced, tags: list[_jax.Tag]) -> None:
    """Inputs before the arguments are tracers that came in from outside."""
    extra = len(traced.jaxpr.in_avals) - len(jax.tree.leaves(traced.args_info))
    captured = traced.jaxpr.jaxpr.invars[:extra]
    if not captured:
        return
    cause = f"it is {captured[0].aval.str_short()} and no argument"
    users = (tag.equation.source for tag in tags if captured[0] in tag.eqn.invars)
    raise errors.LeakedTracerError(step, cause, next(users, "its results"))
