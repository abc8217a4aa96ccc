"""Every named plan of one or two parts that fits a step: the rivals of a search.

    baselines(step, analysis, 8)
        plans       replicated:8, data:8, fsdp:8, …, data:4 x megatron:2, data:2 x megatron:4, …
        left_out    expert:8: no block can be cut along stacked weights, such as experts

Of two parts, the one that talks more often is the minor, whose devices are neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from cfp.errors import UnfitBaselineError
from cfp.ir.mesh import Mesh
from cfp.ir.plan_name import (
    DATA,
    EXPERT,
    FSDP,
    MEGATRON,
    REPLICATED,
    SEQUENCE,
    ZERO1,
    Part,
    PlanName,
)
from cfp.plans_by_name.by_name import plan_of
from cfp.plans_by_name.fewest_bytes import fewest_bytes
from cfp.plans_by_name.findings import find
from cfp.plans_by_name.shares import shares_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cfp.ir.analysis import Analysis
    from cfp.ir.plan import Plan
    from cfp.ir.step import TracedStep
    from cfp.plans_by_name.fewest_bytes import Chosen
    from cfp.plans_by_name.findings import Findings
    from cfp.plans_by_name.splits import Candidates

SPLITTING = (DATA, ZERO1, FSDP, EXPERT, SEQUENCE, MEGATRON)  # from major to minor


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A plan that is not among the baselines, and why."""

    name: str
    because: str

    def __str__(self) -> str:
        return f"{self.name}: {self.because}"


@dataclass(frozen=True, slots=True)
class Baselines:
    """The plans that fit, no two the same, and those that do not."""

    plans: tuple[Plan, ...]
    left_out: tuple[LeftOut, ...]

    def __str__(self) -> str:
        return "\n".join([*(plan.name for plan in self.plans), *map(str, self.left_out)])


def baselines(step: TracedStep, analysis: Analysis, place: Mesh | int) -> Baselines:
    """All baselines on a mesh, or on so many devices in any grid of one or two axes."""
    mesh, devices = (place, place.devices) if isinstance(place, Mesh) else (None, place)
    findings = find(step, analysis)
    choose = _remembering(findings)
    plans: dict[object, Plan] = {}
    left_out: list[LeftOut] = []
    for name in _names(mesh, devices):
        try:
            plan = plan_of(findings, shares_of(name, mesh, devices), choose)
        except UnfitBaselineError as error:
            left_out.append(LeftOut(str(name), error.because))
            continue
        same = plans.setdefault(_content(plan), plan)
        if same is not plan:
            left_out.append(LeftOut(plan.name, f"the same as {same.name}"))
    return Baselines(tuple(plans.values()), tuple(left_out))


def _names(mesh: Mesh | None, devices: int) -> Iterator[PlanName]:
    """Yields the names of one part, then those of two."""
    for kind in (REPLICATED, *SPLITTING):
        yield PlanName((Part(kind, devices),))
    for pair in combinations(SPLITTING, 2):
        for first in _first_degrees(mesh, devices):
            degrees = (first, devices // first)
            yield PlanName(tuple(Part(*one) for one in zip(pair, degrees, strict=True)))


def _first_degrees(mesh: Mesh | None, devices: int) -> list[int]:
    """How many devices the first of two parts may get, the most first."""
    if mesh is None:
        return [one for one in reversed(range(2, devices)) if devices % one == 0]
    heads = (mesh.size(*mesh.names[:end]) for end in range(1, len(mesh.axes)))
    return sorted({one for one in heads if 1 < one < devices}, reverse=True)


def _remembering(findings: Findings) -> Callable[[Candidates, int], Chosen]:
    """`fewest_bytes`, which many plans ask the same."""
    known: dict[object, Chosen] = {}

    def choose(candidates: Candidates, degree: int) -> Chosen:
        key = (tuple(candidates.items()), degree)
        if key not in known:
            known[key] = fewest_bytes(findings, candidates, degree)
        return known[key]

    return choose


def _content(plan: Plan) -> object:
    """What a plan does, whatever it and its axes are called."""
    numbers = {name: number for number, name in enumerate(plan.mesh.names)}
    return (
        plan.mesh.sizes,
        tuple(choice.strategies for choice in plan.choices),
        tuple(
            tuple((numbers[cut.axis], cut.dim, cut.outer) for cut in one.cuts)
            for one in plan.storage
        ),
    )
