"""The order of everything.

    step ─▶ trace_step ─▶ TracedStep ─▶ analyze_hlo ─▶ Analysis
                   HLO from elsewhere ─▶ analyze_module ─┘
    Analysis + a mesh ─▶ enumerate_strategies ─▶ StrategySpace
    Analysis + a name ─▶ baseline ─▶ Plan ─▶ lay_out ─▶ Layout ─▶ shard_step ─▶ ShardedStep
                                                     ShardedStep ─▶ verify_step ─▶ Audit

After each pass its result is verified, dumped and timed; a pass that fails is named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from os import PathLike
from time import process_time
from typing import Any, Protocol, TypeVar

from absl import logging

from cfp import errors
from cfp.dump import mesh_strategy_map_text, ops_text, strategy_map_text, write_dump
from cfp.formats.jax_source import to_jax_source
from cfp.formats.maxtext_rules import to_maxtext_rules
from cfp.ir.analysis import Analysis
from cfp.ir.argument_pins import demanded, refuse_broken
from cfp.ir.audit import Audit
from cfp.ir.fingerprint import fingerprint
from cfp.ir.layout import Layout
from cfp.ir.plan import Plan
from cfp.ir.plan_checks import refuse_other, version_warning
from cfp.ir.plan_name import KINDS
from cfp.ir.planned_text import planned_notes
from cfp.ir.step import TracedStep
from cfp.ir.units import seconds_text
from cfp.options import Options
from cfp.passes.analyze_hlo import analyze_hlo, analyze_module
from cfp.passes.enumerate_strategies import enumerate_strategies
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.passes.verify_step import verify_step
from cfp.plans_by_name import Baselines, baseline, baselines
from cfp.runtime.device_memory import refuse_over_limit
from cfp.runtime.grid import Device, GivenMesh, Grid, grid_of
from cfp.runtime.objects import Call
from cfp.runtime.request import GivenPlan, Request
from cfp.runtime.sharded_step import ShardedStep


class Noun(Protocol):
    """What a pass makes."""

    def verify(self) -> None:
        """Raises where the noun contradicts itself."""
        ...


Made = TypeVar("Made", bound=Noun)

NOTHING_WRITTEN = Options()
AUDITED_STEPS = 3


def analyze_step(
    step: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    options: Options = NOTHING_WRITTEN,
    **choices: Any,
) -> tuple[TracedStep, Analysis]:
    """From a step and its arguments, arrays or only their shapes, to its blocks.

    The choices are those of `trace_step`: static_argnums, static_argnames, donate_argnums.
    """
    traced = run(0, trace_step, step, args, kwargs, options=options, **choices)
    analysis = run(1, analyze_hlo, traced, options=options)
    dump_ops(analysis, options)
    return traced, analysis


def analyze_hlo_bytes(hlo: bytes, name: str, options: Options = NOTHING_WRITTEN) -> Analysis:
    """From a serialised HloModuleProto to its blocks."""
    analysis = run(1, analyze_module, hlo, name, options=options)
    dump_ops(analysis, options)
    return analysis


def shard_traced(
    traced: TracedStep,
    analysis: Analysis,
    plan: Plan,
    devices: Sequence[Device],
    options: Options = NOTHING_WRITTEN,
) -> ShardedStep:
    """From a plan to what it means, and to the step that runs it."""
    layout = run(4, lay_out, traced, analysis, plan, options=options)
    sharded = run(5, shard_step, traced, layout, devices, options=options)
    dump_plan(analysis, plan, layout, options)
    if options.dump_dir:
        write_dump(options.dump_dir, "after_spmd.txt", sharded.compile().as_text() or "")
    return sharded


@dataclass(frozen=True, eq=False)
class ParallelStep:
    """A step for arguments of one kind: what it was found to be, its plan, and what runs it."""

    analysis: Analysis
    plan: Plan
    sharded: ShardedStep


def parallel_step(
    traced: TracedStep, analysis: Analysis, request: Request, options: Options = NOTHING_WRITTEN
) -> ParallelStep:
    """From what a user asks for to the step that does it; refused where it cannot be had."""
    grid = grid_of(request.mesh, request.devices)
    plan = plan_for(traced, analysis, request.plan, grid, options)
    demands = demanded(traced, plan.mesh, request.pins or {})
    sharded = shard_traced(traced, analysis, plan, grid.devices, options)
    refuse_broken(traced, plan.name, sharded.layout.arguments, demands)
    if request.memory_bytes is not None:
        refuse_over_limit(plan.name, sharded.compile(), request.memory_bytes)
    return ParallelStep(analysis, plan, sharded)


def plan_for(
    traced: TracedStep, analysis: Analysis, given: GivenPlan, grid: Grid, options: Options
) -> Plan:
    """The plan that was given: by name, itself, or in a file; the last two must be of this step."""
    if given is None:
        raise errors.NoPlanError(traced.name, KINDS)
    plan = loaded_plan(given)
    if plan is None:
        devices = len(grid.devices)
        return run(3, baseline, str(given), traced, analysis, grid.mesh, devices, options=options)
    mesh, jax_version = grid.mesh or plan.mesh, version("jax")
    refuse_other(plan, fingerprint(traced, analysis), traced.arguments, mesh, jax_version)
    if warning := version_warning(plan, jax_version):
        logging.warning("%s", warning)
    return plan


def baselines_of(
    step: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    mesh: GivenMesh = None,
    devices: Sequence[Device] | None = None,
) -> Baselines:
    """Every named plan of one or two parts that fits a step, and why the others do not."""
    traced, analysis = analyze_step(step, args, kwargs)
    grid = grid_of(mesh, devices)
    return baselines(traced, analysis, grid.mesh or len(grid.devices))


def jax_source_of(step: ParallelStep) -> str:
    """The step's plan as a Python file that runs without cfp."""
    return to_jax_source(step.sharded.step, step.sharded.layout, step.plan)


def logical_rules_of(step: ParallelStep) -> str:
    """The step's plan as flax's logical axis rules, where it has that form."""
    layout = step.sharded.layout
    return str(to_maxtext_rules(step.sharded.step, step.analysis, layout, step.plan))


def loaded_plan(given: GivenPlan) -> Plan | None:
    """A plan that needs no step to be known: itself, or in a file; None for all else."""
    if isinstance(given, Plan):
        return given
    if isinstance(given, PathLike) or (isinstance(given, str) and given.endswith(".json")):
        return Plan.load(given)
    return None


def audit_step(step: ParallelStep, call: Call, options: Options = NOTHING_WRITTEN) -> Audit:
    """Whether the step computes what the user's does, as planned, over a few steps from here."""
    inputs = (step.sharded, step.analysis, call.args, call.kwargs, AUDITED_STEPS)
    return run(6, verify_step, *inputs, options=options)


def run(
    number: int, make: Callable[..., Made], *inputs: Any, options: Options, **choices: Any
) -> Made:
    """Runs one pass: names it where it fails, verifies, times and dumps what it made."""
    name = make.__name__
    logging.info("%s", name)
    start = process_time()
    try:
        made = make(*inputs, **choices)
        made.verify()
    except Exception as error:
        error.add_note(f"  pass:  {name}, number {number}")
        raise
    logging.info("%s: %s of CPU", name, seconds_text(process_time() - start))
    if options.dump_dir:
        write_dump(options.dump_dir, f"{number:02}_{name}.txt", str(made))
    return made


def dump_ops(analysis: Analysis, options: Options) -> None:
    """Writes what is too long for the dump of a pass: every op, every block."""
    if options.dump_dir:
        write_dump(options.dump_dir, "after_ir.txt", ops_text(analysis))
        write_dump(options.dump_dir, "strategy_map.txt", strategy_map_text(analysis))


def dump_plan(analysis: Analysis, plan: Plan, layout: Layout, options: Options) -> None:
    """The same with what is planned: every op as it lies, every way to divide a block."""
    if not options.dump_dir:
        return
    notes = planned_notes(analysis, plan, layout)
    write_dump(options.dump_dir, "after_ir.txt", ops_text(analysis, notes))
    try:
        space = run(2, enumerate_strategies, analysis, plan.mesh, options=options)
    except errors.TooManyChoicesError as error:  # to be searched, not to be run under a plan
        logging.warning("strategy_map.txt has no choices on %s: %s", plan.mesh, error)
    else:
        text = mesh_strategy_map_text(analysis, space)
        write_dump(options.dump_dir, "strategy_map.txt", text)
