"""verify_step: a sharded step to an Audit: whether it computes what the step does, as planned.

    sharded step ──compile─▶ its program ──read─▶ collectives, contractions, memory, warnings
                 ──run─────▶ numbers, beside those of the unsharded step on one device

`audit_program` is the part that runs nothing.
"""

# pyright: reportUnknownMemberType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax.extend.core import jaxpr_as_fun

from cfp import _jax
from cfp.audit.collectives import compare_collectives
from cfp.audit.compiled_step import compile_for_audit
from cfp.audit.contractions import compare_contractions
from cfp.audit.found_collectives import found_collectives
from cfp.audit.numerics import Pair, compare_numerics
from cfp.audit.rematerializations import read_rematerializations
from cfp.audit.rounding import rounding_of
from cfp.costs.memory import predict_memory
from cfp.formats.hlo_text import read_program
from cfp.ir.analysis import Analysis
from cfp.ir.audit import Audit, Numerics, ProgramAudit
from cfp.runtime.device_memory import memory_use
from cfp.runtime.sharded_step import ShardedStep

_NARROWEST_FLOAT = {"cpu": 32}  # XLA computes narrower floats in this many bits; elsewhere as given


def verify_step(
    sharded: ShardedStep,
    analysis: Analysis,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    steps: int,
) -> Audit:
    """Compiles the step and runs it on these arguments, which stay the caller's."""
    compiled, log = compile_for_audit(sharded)
    program = _audit_compiled(sharded, analysis, compiled, log)
    return Audit(program, _audit_numbers(sharded, analysis, compiled, args, kwargs, steps))


def audit_program(sharded: ShardedStep, analysis: Analysis) -> ProgramAudit:
    """Compiles the step and runs nothing."""
    return _audit_compiled(sharded, analysis, *compile_for_audit(sharded))


def _audit_compiled(
    sharded: ShardedStep, analysis: Analysis, compiled: jax.stages.Compiled, log: str
) -> ProgramAudit:
    step, layout = sharded.step, sharded.layout
    platform: str = sharded.mesh.devices.flat[0].platform
    program = read_program(compiled.as_text() or "")
    found = found_collectives(program, layout.mesh)
    traffic, unexplained = compare_collectives(found, step, analysis, layout, platform)
    whole = read_program(_jax.hlo_text(step.hlo))
    contractions, unseen, mispartitions = compare_contractions(whole, program, step, layout)
    return ProgramAudit(
        step=step.name,
        mesh=layout.mesh,
        platform=platform,
        traffic=traffic,
        unexplained=unexplained,
        rematerializations=read_rematerializations(log, step),
        predicted=predict_memory(step, analysis, layout, _NARROWEST_FLOAT.get(platform, 8)),
        compiled=memory_use(compiled),
        contractions=contractions,
        unseen=unseen,
        mispartitions=mispartitions,
    )


def _audit_numbers(  # noqa: PLR0913, PLR0917 - those of verify_step, and the program
    sharded: ShardedStep,
    analysis: Analysis,
    compiled: jax.stages.Compiled,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    steps: int,
) -> Numerics:
    jaxpr: Any = sharded.step.jaxpr
    return compare_numerics(
        sharded.step,
        rounding_of(analysis),
        Pair(compiled, jax.jit(jaxpr_as_fun(jaxpr))),
        sharded.place(args, kwargs),
        steps,
    )
