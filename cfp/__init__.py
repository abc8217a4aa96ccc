"""cfp finds the fastest way to shard a JAX train step over the devices you have.

A step flows through the passes, and each pass turns one frozen value into the next. Those marked
with * exist today; the others are what the package is being built for.

    your step ─▶ trace_step* ─▶ TracedStep ─▶ analyze_hlo* ─▶ Analysis     blocks; knows no mesh yet
    Analysis + a mesh ──▶ enumerate_strategies*─▶ every way to shard each block
                      ──▶ profile_segments ──────▶ what each way costs, and how we know
                      ──▶ search_plan ───────────▶ Plan, the best one that fits in memory
    Analysis + a cluster ─▶ place_stages ────────▶ Placement, a plan for each pipeline stage
    your step + a Plan ───▶ lay_out* ────────────▶ Layout, what it means for every value
    your step + Layout ───▶ shard_step* ─────────▶ a step that you call as before
                      ────▶ verify_step* ────────▶ Audit, what was predicted beside what happened

    step = cfp.parallelize(step, plan="data:4 x megatron:2")    the same step, on many devices
    traced, analysis = cfp.analyze_step(step, args)             arrays, or only their shapes
    print(analysis)
    cfp.Analysis.from_json(text)

Importing `cfp` or `cfp.ir` imports neither JAX nor the compiled core, a name below does so when it
is first used: reading and printing results works on a machine that has neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfp.api import baseline, baselines, parallelize
    from cfp.errors import CfpError
    from cfp.ir import Analysis, Mesh, Plan, TracedStep
    from cfp.options import Options
    from cfp.pipeline import analyze_hlo_bytes, analyze_step

__all__ = [
    "Analysis",
    "CfpError",
    "Mesh",
    "Options",
    "Plan",
    "TracedStep",
    "analyze_hlo_bytes",
    "analyze_step",
    "baseline",
    "baselines",
    "parallelize",
]

_HOMES = {
    "Analysis": "cfp.ir",
    "CfpError": "cfp.errors",
    "Mesh": "cfp.ir",
    "Options": "cfp.options",
    "Plan": "cfp.ir",
    "TracedStep": "cfp.ir",
    "analyze_hlo_bytes": "cfp.pipeline",
    "analyze_step": "cfp.pipeline",
    "baseline": "cfp.api",
    "baselines": "cfp.api",
    "parallelize": "cfp.api",
}


def __getattr__(name: str) -> object:
    """A public name, imported when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"cfp has no public name {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
