"""A step that runs on many devices and is called as the user's own.

    sharded = shard_step(step, layout, jax.devices())
    state = sharded.init(init_state, key)             made in its place
    state, metrics = sharded(state, batch)            batch is moved to its place

`place` moves arguments without running anything; `lower` and `compile` are those of `jax.jit`.
"""

# pyright: reportUnknownMemberType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
from jax.sharding import NamedSharding

from cfp.ir.layout import Layout
from cfp.ir.step import TracedStep
from cfp.runtime.arguments import placed
from cfp.runtime.initial_state import initial_state


@dataclass(frozen=True, eq=False)
class ShardedStep:
    """The step, its layout, and the layout in JAX's terms.

    jitted is the flat function: arrays in the order of `step.arguments` to arrays in the order of
    `step.results`, with all pins in it.
    """

    step: TracedStep
    layout: Layout
    mesh: jax.sharding.Mesh
    argument_shardings: tuple[NamedSharding, ...]
    result_shardings: tuple[NamedSharding, ...]
    jitted: jax.stages.Wrapped

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        results = self._compiled(*self.place(args, kwargs))
        return jax.tree.unflatten(self.step.out_tree, results)

    def place(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[jax.Array]:
        """The arguments of a call as the flat function takes them, each array in its place."""
        return placed(self.step, self.argument_shardings, args, kwargs)

    def init(self, init: Callable[..., Any], *args: Any) -> Any:
        """`init(*args)`, an argument of the step, computed where it will lie."""
        return initial_state(self.step, self.argument_shardings, init, args)

    def lower(self) -> jax.stages.Lowered:
        """The program before it is partitioned."""
        jaxpr: Any = self.step.jaxpr
        return self.jitted.lower(*jaxpr.in_avals)

    def compile(self) -> jax.stages.Compiled:
        """The program of the devices; compiled once."""
        return self._compiled

    @cached_property
    def _compiled(self) -> jax.stages.Compiled:
        return self.lower().compile()
