"""A step that runs on many devices and is called as the user's own.

    sharded = shard_step(step, layout, jax.devices())
    state, metrics = sharded(state, batch)            batch is moved to its place

`place` moves arguments without running anything; `lower` and `compile` are those of `jax.jit`.
"""

# pyright: reportUnknownMemberType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr
from jax.sharding import NamedSharding

from cfp.errors import InconsistentError
from cfp.ir.array_text import array_text, cuts_text
from cfp.ir.layout import Cuts, Layout, local_shape
from cfp.ir.step import ArrayInfo, TracedStep
from cfp.ir.table import table
from cfp.runtime.arguments import placed


@dataclass(frozen=True, eq=False)
class ShardedStep:
    """The step, its layout, and the layout in JAX's terms.

    pinned takes arrays in the order of `step.arguments` to arrays in the order of `step.results`,
    with all pins in it; jitted is the same with the shardings of both.
    """

    step: TracedStep
    layout: Layout
    mesh: jax.sharding.Mesh
    argument_shardings: tuple[NamedSharding, ...]
    result_shardings: tuple[NamedSharding, ...]
    pinned: ClosedJaxpr
    jitted: jax.stages.Wrapped

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The results of the user's step, each where the layout says."""
        results = self._compiled(*self.place(args, kwargs))
        return jax.tree.unflatten(self.step.out_tree, results)

    def place(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[jax.Array]:
        """The arguments of a call as the flat function takes them, each array in its place."""
        return placed(self.step, self.argument_shardings, args, kwargs)

    def lower(self) -> jax.stages.Lowered:
        """The program before it is partitioned."""
        jaxpr: Any = self.step.jaxpr
        return self.jitted.lower(*jaxpr.in_avals)

    def compile(self) -> jax.stages.Compiled:
        """The program of the devices; compiled once."""
        return self._compiled

    def verify(self) -> None:
        """Raises InconsistentError unless JAX gives a device what the layout says it holds."""
        for array, cuts, sharding in self._border():
            said = local_shape(array.shape, cuts, self.layout.mesh)
            if (given := sharding.shard_shape(array.shape)) != said:
                fact = f"a device holds {given} of {array.name}, and the layout says {said}"
                raise InconsistentError("ShardedStep", self.step.name, fact)

    def __str__(self) -> str:
        rows = [
            (array_text(array), cuts_text(cuts), sharding.shard_shape(array.shape), array.name)
            for array, cuts, sharding in self._border()
        ]
        head = f"step {self.step.name} on {self.layout.mesh}: {len(self.layout.pins)} pins"
        return "\n".join([head, *table(("array", "cut", "on a device", "name"), rows)])

    def _border(self) -> Iterator[tuple[ArrayInfo, Cuts, NamedSharding]]:
        """Every argument, then every result."""
        arrays = (*self.step.arguments, *self.step.results)
        cuts = (*self.layout.arguments, *self.layout.results)
        yield from zip(
            arrays, cuts, (*self.argument_shardings, *self.result_shardings), strict=True
        )

    @cached_property
    def _compiled(self) -> jax.stages.Compiled:
        return self.lower().compile()
