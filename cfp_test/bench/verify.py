"""The verify bench: every model under every plan by name, compiled, run and audited on 8 devices.

problems               of a plan: results that differ, collectives that nobody planned, products
                       that are not divided as decided, values made whole on the way
planned, found         bytes that one device sends in one step: by the layout, in the program
predicted, compiled    memory of one device
"""

from collections.abc import Iterator
from importlib import import_module
from time import process_time
from typing import Any, NamedTuple

import jax

from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.passes.verify_step import verify_step
from cfp.plans_by_name import baselines
from cfp_test.bench.measurement import Figure, Measurement

DEVICES = 8
STEPS = 3


class Variant(NamedTuple):
    """A model of cfp_test with its flags."""

    model: str
    flags: dict[str, Any]

    def __str__(self) -> str:
        return " ".join([self.model, *(f"{name}={flag}" for name, flag in self.flags.items())])


UNROLLED = tuple(
    Variant(model, {"num_layer": 2} if model != "wresnet" else {})
    for model in ("gpt", "bert", "llama2", "moe", "t5", "wresnet")
)
SCANNED = tuple(
    Variant(model, {"num_layer": 2, "scan": True})
    for model in ("gpt", "bert", "llama2", "moe", "t5")
)


def measure() -> Measurement:
    """All models, unrolled and scanned, under every plan that fits: more than an hour."""
    return _measured((*UNROLLED, *SCANNED), quick=False)


def measure_quickly() -> Measurement:
    """One model under every plan that fits: some minutes."""
    return _measured(UNROLLED[:1], quick=True)


def _measured(variants: tuple[Variant, ...], *, quick: bool) -> Measurement:
    rows = tuple(row for variant in variants for row in _rows(variant))
    wrong = sum(bool(row["problems"]) for row in rows)
    figures = {
        "plans": Figure(len(rows), "plans", "higher"),
        "plans_with_problems": Figure(wrong, "plans", "lower"),
        "traffic_off_worst_pct": Figure(max(_off(row) for row in rows), "%", "lower"),
    }
    return Measurement("verify", quick, rows, figures)


def _off(row: dict[str, Any]) -> float:
    """By how much the bytes found differ from those planned."""
    return 100 * abs(row["found_bytes"] - row["planned_bytes"]) / max(row["planned_bytes"], 1)


def _rows(variant: Variant) -> Iterator[dict[str, Any]]:
    package = import_module(f"cfp_test.{variant.model}")
    step = trace_step(*package.train_step(**variant.flags))
    analysis = analyze_hlo(step)
    key = jax.random.key(0)
    init, sample = package.init_state(**variant.flags), package.sample_batch(**variant.flags)
    args = (jax.jit(init)(key), sample(key))
    plans = baselines(step, analysis, DEVICES).plans
    for number, plan in enumerate(plans, 1):
        start = process_time()
        sharded = shard_step(step, lay_out(step, analysis, plan), jax.devices()[:DEVICES])
        audit = verify_step(sharded, analysis, args, {}, STEPS)
        row = {
            "model": variant.model,
            "scanned": bool(variant.flags.get("scan")),
            "plan": plan.name,
            "problems": "; ".join(audit.problems),
            "planned_bytes": sum(one.predicted_bytes for one in audit.program.traffic),
            "found_bytes": sum(one.found_bytes for one in audit.program.traffic),
            "predicted_peak_bytes": audit.program.predicted.peak,
            "compiled_peak_bytes": audit.program.compiled.peak,
            "audit_cpu_s": process_time() - start,
        }
        problems = row["problems"] or "no problem"
        print(f"{variant}, {number} of {len(plans)}: {plan.name}: {problems}", flush=True)
        yield row
        jax.clear_caches()  # else hundreds of programs stay in memory
