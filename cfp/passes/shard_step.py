"""shard_step: a traced step and its layout, to a step that runs on many devices.

    layout    argument 0 is cut on data, equation 3 is pinned, result 0 is whole
    JAX       jit(the jaxpr with constraints around equation 3, in_shardings, out_shardings)

What the layout decides is written into the program; all else is left to the compiler.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.sharding import NamedSharding

from cfp import errors
from cfp.ir.layout import Cuts, Layout
from cfp.ir.step import TracedStep
from cfp.runtime.pinned import pinned
from cfp.runtime.pins import Pins
from cfp.runtime.sharded_step import ShardedStep
from cfp.runtime.sharding import Subject, mesh_of, sharding_of


def shard_step(step: TracedStep, layout: Layout, devices: Sequence[Any]) -> ShardedStep:
    """The step on these `jax.Device`s, in the order in which the mesh of the layout counts them."""
    mesh = mesh_of(layout.mesh, devices)
    arguments = _shardings(step, mesh, "argument", layout.arguments)
    results = _shardings(step, mesh, "result", layout.results)
    jaxpr: Any = step.jaxpr
    with_pins = pinned(jaxpr, Pins.of_layout(step, layout, mesh), layout.made)
    jitted = jax.jit(
        _flat_step(step.name, with_pins),
        in_shardings=arguments,
        out_shardings=results,
        donate_argnums=[number for number, one in enumerate(step.arguments) if one.donated],
        keep_unused=True,
    )
    return ShardedStep(step, layout, mesh, arguments, results, with_pins, jitted)


def _shardings(
    step: TracedStep, mesh: jax.sharding.Mesh, side: str, places: Sequence[Cuts]
) -> tuple[NamedSharding, ...]:
    arrays = step.arguments if side == "argument" else step.results
    where = f"the {side}s of step `{step.name}`"
    if len(places) != len(arrays):
        problem = f"{len(places)} are placed, and there are {len(arrays)}"
        raise errors.UnfitLayoutError("the step", where, problem)
    return tuple(
        sharding_of(mesh, cuts, Subject(one.shape, f"{side} {one.name}", where))
        for one, cuts in zip(arrays, places, strict=True)
    )


def _flat_step(name: str, jaxpr: ClosedJaxpr) -> Callable[..., Any]:
    evaluate = jaxpr_as_fun(jaxpr)

    def flat_step(*arrays: Any) -> Any:
        return tuple(evaluate(*arrays))

    flat_step.__name__ = name
    return flat_step
