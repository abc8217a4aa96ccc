"""Some blocks of a sharded step as a program of their own: forward, backward and update.

    blocks 2 to 5, a layer of a GPT
      equations    theirs, and those of nobody that these read
      operands     parameters, the layer's input, the cotangent of its output, each where it lies
      results      the layer's output, the cotangent of its input, new parameters, each in its place

The equations are those of the step with all pins in them, so what is measured is what will run.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, JaxprEqn, Var, jaxpr_as_fun
from jax.sharding import NamedSharding

from cfp import _jax
from cfp.ir.analysis import Analysis
from cfp.ir.equation_owners import NOBODY, equation_owners
from cfp.ir.shape import dims
from cfp.runtime.sharded_step import ShardedStep
from cfp.runtime.sharding import Subject, has_sharding, sharding_of

Placed = tuple[NamedSharding | None, ...]  # None leaves it to the compiler
_CONSTRAINT = "sharding_constraint"


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Equations from operands to results, and where both lie."""

    blocks: tuple[int, ...]
    closed: ClosedJaxpr
    operands: Placed
    results: Placed

    def lower(self) -> jax.stages.Lowered:
        """The program before it is partitioned."""
        jitted = jax.jit(
            jaxpr_as_fun(self.closed),
            in_shardings=self.operands,
            out_shardings=list(self.results),
            keep_unused=True,
        )
        return jitted.lower(*self.closed.in_avals)


def excerpts_of(
    sharded: ShardedStep, analysis: Analysis, parts: Iterable[Collection[int]]
) -> list[Excerpt]:
    """An excerpt for each collection of blocks."""
    text = _Text(sharded, analysis)
    return [text.excerpt(blocks) for blocks in parts]


class _Text:
    """A step's equations: whose each is, who makes and who reads each value, where it lies."""

    def __init__(self, sharded: ShardedStep, analysis: Analysis) -> None:
        self._jaxpr = sharded.pinned.jaxpr
        self._consts = dict(zip(self._jaxpr.constvars, sharded.pinned.consts, strict=True))
        owners = equation_owners(analysis)
        self._owner = [owners.get(_jax.path_of(eqn), NOBODY) for eqn in self._jaxpr.eqns]
        self._maker = {
            var: number for number, eqn in enumerate(self._jaxpr.eqns) for var in eqn.outvars
        }
        self._readers: dict[Var, set[int]] = defaultdict(set)
        for number, eqn in enumerate(self._jaxpr.eqns):
            for var in _read(eqn):
                self._readers[var].add(number)
        self._returned = {atom for atom in self._jaxpr.outvars if isinstance(atom, Var)}
        self._places = dict(_places(sharded, analysis))

    def excerpt(self, blocks: Collection[int]) -> Excerpt:
        own = [number for number, owner in enumerate(self._owner) if owner in blocks]
        eqns = [self._jaxpr.eqns[number] for number in self._with_sources(own)]
        made = {var for eqn in eqns for var in eqn.outvars}
        read = dict.fromkeys(var for eqn in eqns for var in _read(eqn))
        consts = [var for var in read if var in self._consts]
        operands = [var for var in read if var not in made and var not in self._consts]
        results = list(self._read_elsewhere(own))
        jaxpr = self._jaxpr.replace(constvars=consts, invars=operands, outvars=results, eqns=eqns)
        closed = ClosedJaxpr(jaxpr, [self._consts[var] for var in consts])
        return Excerpt(tuple(blocks), closed, self._placed(operands), self._placed(results))

    def _with_sources(self, own: Collection[int]) -> list[int]:
        """These equations, and those of nobody behind them."""
        found, waiting = set(own), list(own)
        while waiting:
            for var in _read(self._jaxpr.eqns[waiting.pop()]):
                maker = self._maker.get(var)
                if maker is not None and maker not in found and self._owner[maker] == NOBODY:
                    found.add(maker)
                    waiting.append(maker)
        return sorted(found)

    def _read_elsewhere(self, own: Collection[int]) -> Iterator[Var]:
        """Yields what these equations make and others read, or the step returns."""
        inside = frozenset(own)
        for number in own:
            for var in self._jaxpr.eqns[number].outvars:
                if var in self._returned or not inside.issuperset(self._readers.get(var, ())):
                    yield var

    def _placed(self, variables: Iterable[Var]) -> Placed:
        return tuple(self._places.get(var) for var in variables)


def _read(eqn: JaxprEqn) -> Iterator[Var]:
    return (atom for atom in eqn.invars if isinstance(atom, Var))


def _places(sharded: ShardedStep, analysis: Analysis) -> Iterator[tuple[Var, NamedSharding]]:
    """Yields the values that are known to lie somewhere: by the layout, by a pin, at the border."""
    jaxpr: Any = sharded.pinned.jaxpr
    layout = sharded.layout
    lies = {
        (op.source.equation, dims(op.shape)): layout.values[number]
        for number, op in enumerate(analysis.ops)
        if op.source.equation
    }
    for eqn in jaxpr.eqns:
        path = _jax.path_of(eqn)
        for var in eqn.outvars:
            cuts = lies.get((path, tuple(var.aval.shape)))
            if eqn.primitive.name == _CONSTRAINT:
                yield var, eqn.params["sharding"]
            elif cuts is not None and has_sharding(cuts):
                subject = Subject(tuple(var.aval.shape), f"a result of equation {path}", "")
                yield var, sharding_of(sharded.mesh, cuts, subject)
    yield from zip(jaxpr.invars, sharded.argument_shardings, strict=True)
    for atom, sharding in zip(jaxpr.outvars, sharded.result_shardings, strict=True):
        if isinstance(atom, Var):
            yield atom, sharding
