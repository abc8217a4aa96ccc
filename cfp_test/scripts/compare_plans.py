"""Trains one model under several named plans and compares: losses, time and memory.

    JAX_PLATFORMS=cpu python -m cfp_test.scripts.compare_plans gpt --num_layer 2

Every plan starts from the same state and sees the same batches, so every plan must print the same
losses as the plain step on one device; the exit status says whether it does. Without accelerators
the devices are eight of the host, which share its cores: the times then compare plans with each
other, not with one device.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

import cfp
from cfp.ir.table import table
from cfp.ir.units import bytes_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PLANS = ("data:8", "data:4 x megatron:2", "fsdp:8")
WARM_UP = 3  # steps that are not timed
TOLERANCE = 1e-4  # of a loss: other orders of summing, over all steps


class Training(NamedTuple):
    """What one plan did."""

    losses: list[float]
    step_s: float
    size_bytes: int


def main(words: Sequence[str] | None = None) -> int:
    """Trains, prints the comparison; 1 where losses differ."""
    chosen = _parser().parse_args(words)
    if chosen.host_devices:
        jax.config.update("jax_num_cpu_devices", chosen.host_devices)
    package = import_module(f"cfp_test.{chosen.model}")
    flags = {"num_layer": chosen.num_layer, "batch_size": chosen.batch_size}
    step, _ = package.train_step(**flags)
    init, sample = package.init_state(**flags), package.sample_batch(**flags)
    batches = [sample(jax.random.key(number)) for number in range(1, chosen.steps + 1)]
    whole = _train(jax.jit(step), init(jax.random.key(0)), batches)
    trained = {"one device": whole}
    for plan in chosen.plans:
        print(f"training {chosen.steps} steps under {plan}", file=sys.stderr)
        parallel = cfp.parallelize(step, plan=plan)
        state = parallel.init(init, jax.random.key(0))
        trained[plan] = _train(parallel, state, batches)
    print("\n".join(_report(trained)))
    return 0 if all(_agree(one.losses, whole.losses) for one in trained.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Verbatim)
    parser.add_argument("model", help="a package of cfp_test: gpt, bert, llama2, moe, t5, wresnet")
    parser.add_argument("--plans", nargs="+", default=PLANS, help=f"default: {', '.join(PLANS)}")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--num_layer", type=int, default=2)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--host_devices", type=int, default=8, help="0: as many as there are")
    return parser


class _Verbatim(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """The text above as it stands, and every default."""


def _train(step: Callable[..., Any], state: Any, batches: Sequence[Any]) -> Training:
    losses: list[float] = []
    times: list[float] = []
    for batch in batches:
        start = perf_counter()
        state, metrics = step(state, batch)
        losses.append(float(metrics["loss"]))
        times.append(perf_counter() - start)
    return Training(losses, statistics.median(times[WARM_UP:]), _held_bytes(state))


def _held_bytes(state: Any) -> int:
    """What the first device holds of the state."""
    first = jax.devices()[0]
    return sum(
        shard.data.nbytes
        for array in jax.tree.leaves(state)
        for shard in array.addressable_shards
        if shard.device == first
    )


def _agree(losses: Sequence[float], others: Sequence[float]) -> bool:
    return bool(np.allclose(losses, others, rtol=TOLERANCE, atol=0))


def _report(trained: dict[str, Training]) -> list[str]:
    whole = trained["one device"].losses
    header = ("plan", "first loss", "last loss", "step time", "state on a device", "losses")
    rows = [
        (
            name,
            f"{one.losses[0]:.5f}",
            f"{one.losses[-1]:.5f}",
            seconds_text(one.step_s),
            bytes_text(one.size_bytes),
            "equal" if _agree(one.losses, whole) else "DIFFER",
        )
        for name, one in trained.items()
    ]
    return table(header, rows, indent=0)


if __name__ == "__main__":
    sys.exit(main())
