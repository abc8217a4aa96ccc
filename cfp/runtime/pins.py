"""The pins of a layout by equation, and the constraints that put values where they say.

pin 3: a is cut on data, b is whole, the result is cut on data
cuts(eqn)     {0: (data: dim 0,), 1: (), 2: (data: dim 0,)}     operands, then the result
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Mapping
from dataclasses import dataclass

import jax
from jax.extend.core import JaxprEqn

from cfp import _jax, errors
from cfp.ir.layout import Cuts, Layout, Pin
from cfp.ir.step import TracedStep
from cfp.runtime.sharding import Subject

OPAQUE = "shard_map"


@dataclass(frozen=True)
class Pins:
    """The pins by path, and the paths of all equations that hold pinned ones."""

    step: TracedStep
    mesh: jax.sharding.Mesh
    by_path: Mapping[str, Pin]
    holders: frozenset[str]

    @classmethod
    def of_layout(cls, step: TracedStep, layout: Layout, mesh: jax.sharding.Mesh) -> "Pins":
        """The pins of a layout; an error where one is of no equation of the step."""
        by_path = {pin.path: pin for pin in layout.pins}
        known = {one.path for one in step.equations}
        for path in by_path:
            if path not in known:
                where = f"the pins of the layout for step `{step.name}`"
                raise errors.UnfitLayoutError(f"equation {path}", where, "there is no such one")
        holders = {path[:end] for path in by_path for end, sign in enumerate(path) if sign == "/"}
        return cls(step, mesh, by_path, frozenset(holders))

    def reach_into(self, eqn: JaxprEqn) -> bool:
        """Whether the equation holds pinned ones, and constraints mean something there."""
        return eqn.primitive.name != OPAQUE and _jax.path_of(eqn) in self.holders

    def cuts(self, eqn: JaxprEqn) -> dict[int, Cuts]:
        """What is decided for the equation's arrays, numbered operands first, then the result."""
        pin = self.by_path.get(_jax.path_of(eqn))
        if pin is None:
            return {}
        given, taken, made = len(pin.operands), len(eqn.invars), len(eqn.outvars)
        problem = ""
        if given != taken:
            problem = f"{given} operands are pinned, and it has {taken}"
        elif pin.result is not None and made != 1:
            problem = f"one result is pinned, and it has {made}"
        if problem:
            raise errors.UnfitLayoutError(f"equation {pin.path}", self.where(eqn), problem)
        numbered = enumerate((*pin.operands, pin.result))
        return {number: cuts for number, cuts in numbered if cuts is not None}

    def folded(self, eqn: JaxprEqn) -> Cuts | None:
        """How the equation's result lies once its parts are put together, where that is decided."""
        pin = self.by_path.get(_jax.path_of(eqn))
        return pin.folded if pin else None

    def subject(self, eqn: JaxprEqn, number: int, shape: tuple[int, ...]) -> Subject:
        """An array of the equation, of which so much is to be cut."""
        path = _jax.path_of(eqn)
        operand = number < len(eqn.invars)
        name = f"operand {number} of equation {path}" if operand else f"the result of {path}"
        return Subject(shape, name, self.where(eqn))

    def where(self, eqn: JaxprEqn) -> str:
        """The equation and its line, for people."""
        return f"{eqn.primitive.name} at {self.step.equation(_jax.path_of(eqn)).source}"
