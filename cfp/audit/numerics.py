"""Whether a sharded step gives the numbers of the unsharded one, each fed with its own results.

    step 1    sharded(state, batch)     unsharded(state, batch)     unsharded(noisy state, batch)
    step 2    the same, each with the state that it made
    …         mean |sharded - unsharded| <= 10 · mean |noisy - unsharded| + rounding of the result

Another order of summing gives another rounding, and what a step makes of a rounding is the step's
own affair: Adam turns a gradient that is nothing but rounding, such as that of a bias before a
softmax, into a full update of either sign, and a router that is of two minds sends a word to
another expert. So the step itself says what is tolerable: it runs three times more, unsharded, on
inputs changed by as much as its longest sum is rounded. A result that one of these moves may differ
as much, within a factor, since three are few; one that they do not move may not. Means are
compared, not largest elements: few elements lie so near to zero that a rounding turns them over,
but by how much these move is the optimizer's choice.

What is no float, such as counters, must be equal unless the noise changes it too.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cfp.audit.rounding import Rounding
from cfp.ir.audit import Difference, Numerics
from cfp.ir.step import TracedStep

SAFETY = 10.0
_SEEDS = (20, 21, 22)

FlatStep = Callable[..., Sequence[Any]]


class Pair(NamedTuple):
    """Two functions from the arrays of a step to its results."""

    sharded: FlatStep
    unsharded: FlatStep


def compare_numerics(
    step: TracedStep, rounding: Rounding, pair: Pair, arguments: Sequence[Any], steps: int
) -> Numerics:
    """Runs both from the same arguments, which lie where the sharded step takes them."""
    given = list(arguments)
    exact = [jax.device_put(one, _first_device(one)) for one in given]
    noisy = [_with_noise(exact, rounding.noise, seed) for seed in _SEEDS]
    worst: dict[str, Difference] = {}
    for number in range(1, steps + 1):
        sharded = pair.sharded(*_kept(step, given))
        unsharded = [pair.unsharded(*inputs) for inputs in (exact, *noisy)]
        for info, *arrays in zip(step.results, sharded, *unsharded, strict=True):
            own = Rounding(info.dtype, rounding.longest_sum)
            found = _difference(info.name, number, own, tuple(map(_numbers, arrays)))
            if info.name not in worst or found.ratio > worst[info.name].ratio:
                worst[info.name] = found
        given = _continued(step, given, sharded)
        exact, *noisy = map(partial(_continued, step), (exact, *noisy), unsharded)
    differences = tuple(worst.values())
    return Numerics(
        steps, rounding.dtype, rounding.longest_sum, rounding.noise, SAFETY, differences
    )


def _first_device(array: Any) -> Any:
    return min(array.sharding.device_set, key=lambda device: device.id)


def _kept(step: TracedStep, arguments: Sequence[Any]) -> Iterator[Any]:
    """The arguments, copied where the step would take them away from their owner."""
    for info, one in zip(step.arguments, arguments, strict=True):
        yield one.copy() if info.donated else one


def _continued(step: TracedStep, arguments: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    """The arguments of the next step: what a result continues is replaced by it."""
    after = list(arguments)
    for info, one in zip(step.results, results, strict=True):
        if info.continues >= 0:
            after[info.continues] = one
    return after


def _with_noise(arrays: Sequence[Any], noise: float, seed: int) -> list[Any]:
    """Every float moved by the relative noise, up or down, the same in every process."""
    generator = np.random.default_rng(seed)

    def moved(one: Any) -> Any:
        if not jnp.issubdtype(one.dtype, jnp.inexact):
            return one
        signs = generator.choice((-1.0, 1.0), size=one.shape)
        return jax.device_put((_numbers(one) * (1 + noise * signs)).astype(one.dtype), one.sharding)

    return [moved(one) for one in arrays]


# ---- one result


def _numbers(array: Any) -> Any:
    """The numbers of an array in the widest type of their kind; of a PRNG key, its words."""
    if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        return np.asarray(jax.random.key_data(array))
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        return np.asarray(array).astype(np.complex128)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return np.asarray(array).astype(np.float64)
    return np.asarray(array)


def _difference(result: str, number: int, own: Rounding, values: Sequence[Any]) -> Difference:
    """The difference of one result: `values` are the sharded, the unsharded and the noisy ones."""
    found, expected, *noisy = values
    apart = _distances(found, expected)
    moved = max(_mean(_distances(one, expected)) for one in noisy)
    typical = _mean(np.abs(np.where(np.isfinite(expected), expected, 0)))
    return Difference(
        result=result,
        step=number,
        mean=_mean(apart),
        allowed=SAFETY * moved + own.noise * typical,
        largest=float(apart.max(initial=0)),
        typical=typical,
    )


def _mean(values: Any) -> float:
    return float(values.mean()) if values.size else 0.0


def _distances(a: Any, b: Any) -> Any:
    """How far elements lie apart; infinitely far where only one of them is a number.

    Of what is no float, 1 where they differ.
    """
    if a.dtype.kind not in "fc":
        return (a != b).astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    apart = np.abs(np.subtract(a, b, where=~same, out=np.zeros_like(a)))
    return np.where(np.isnan(apart), np.inf, apart)
