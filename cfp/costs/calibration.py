"""Hardware fitted to measurements: which launch, FLOP/s, bandwidths and latencies explain them.

    measurements                                   predicted before   after
    1000 empty fusions                  2.4 ms               1.5 ms   2.4 ms    launch 2.4 us
    a fusion that moves 8 GB            2.9 ms               2.7 ms   2.9 ms    92 % of 3 TB/s
    all-reduce of 256 MB on 8 devices   1.3 ms               1.2 ms   1.3 ms    77 % of a link

Every number becomes itself times a factor, and the factors are those with the least relative
errors. Their logarithms are fitted, so no factor is ever negative, and how a time changes with a
logarithm is the share of the time that the number makes: it says what the measurements show at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from cfp.costs.calibrated import Number, as_measured
from cfp.costs.predicted_times import Array, PredictedTimes
from cfp.costs.robust_fit import (
    errors_of,
    fit,
    shares_of,
    spread_of,
    standard_errors,
    weights_of,
)
from cfp.costs.spans import LaidMesh
from cfp.errors import UnfitMeasurementsError
from cfp.ir.hardware import Device
from cfp.ir.network import Network
from cfp.ir.workload import Workload

SEEN = 0.02  # a number that makes less of every measurement than this is left as it was
FINEST = 0.01  # a measurement is believed to this share of itself at best
_POWERS = (2.0, 6.0, 20.0, float("inf"))  # ever harder maxima, see `cfp.costs.predicted_times`
_TOLD_APART = 1e-3


@dataclass(frozen=True, slots=True)
class Measurement:
    """A workload that was run: the median of its times, and their spread, both in seconds."""

    workload: Workload
    seconds: float
    spread_s: float


@dataclass(frozen=True)
class Calibration:
    """Hardware as measured, how far its predictions are off its measurements, and what it kept.

    spread is a share of a time; kept names the numbers that the measurements do not show.
    """

    device: Device
    network: Network
    spread: float
    kept: tuple[str, ...]


def calibrate(
    measurements: Sequence[Measurement], device: Device, laid: LaidMesh, origin: str
) -> Calibration:
    """The device and the network that explain the measurements; origin says where these are from.

    Without collectives the mesh may have no axes: `lay_mesh(Mesh(()), Network("none", ()))`.
    """
    _check_times(measurements)
    times = PredictedTimes([one.workload for one in measurements], device, laid)
    return _Calibrating(measurements, times).result(device, laid.network, origin)


def _check_times(measurements: Sequence[Measurement]) -> None:
    if not measurements:
        raise UnfitMeasurementsError(0, "there is none")
    if any(not one.seconds > 0 for one in measurements):
        raise UnfitMeasurementsError(len(measurements), "one of them took no time")


class _Calibrating:
    """Measurements beside what is predicted of them."""

    def __init__(self, measurements: Sequence[Measurement], times: PredictedTimes) -> None:
        self._numbers, self._times = times.numbers, times
        self._measured = np.array([one.seconds for one in measurements])
        relative = np.array([one.spread_s / one.seconds for one in measurements])
        self._believed = 1 / np.maximum(relative, FINEST)

    def result(self, device: Device, network: Network, origin: str) -> Calibration:
        """The hardware with what was found."""
        logs, fitted = self._found()
        factors = dict(zip(self._numbers, map(float, np.exp(logs)), strict=True))
        told = f"fitted to {len(self._measured)} measurements: {origin}"
        spreads = self._spreads(logs, fitted)
        return Calibration(
            *as_measured(device, network, factors, spreads, told),
            spread=spread_of(self._errors(logs)),
            kept=tuple(str(one) for one in self._numbers if one not in spreads),
        )

    def _found(self) -> tuple[Array, list[int]]:
        """The logarithms of all factors, and the places of those that are not as they were."""
        logs = np.zeros(len(self._numbers))
        fitted = self._seen(logs, _POWERS[0])
        for power in _POWERS:
            predicted = partial(self._predicted, fitted=fitted, power=power)
            logs[fitted] = fit(predicted, self._measured, self._believed, logs[fitted])
        self._check_told_apart(logs)
        return self._without_hidden(logs, fitted)

    def _without_hidden(self, logs: Array, fitted: list[int]) -> tuple[Array, list[int]]:
        """A number that no time shows is as it was, unless a time would show it then."""
        seen = self._seen(logs, _POWERS[-1])
        for place in [one for one in fitted if one not in seen]:
            as_it_was = logs.copy()
            as_it_was[place] = 0.0
            if place not in self._seen(as_it_was, _POWERS[-1]):
                logs, fitted = as_it_was, [one for one in fitted if one != place]
        return logs, fitted

    def _predicted(self, values: Array, fitted: list[int], power: float) -> Array:
        logs = np.zeros(len(self._numbers))
        logs[fitted] = values
        return self._times.seconds(logs, power)

    def _errors(self, logs: Array) -> Array:
        return errors_of(self._hard, self._measured, logs)

    def _hard(self, logs: Array) -> Array:
        return self._times.seconds(logs, _POWERS[-1])

    def _seen(self, logs: Array, power: float) -> list[int]:
        """The places of the numbers that make enough of some measurement."""
        shares = shares_of(partial(self._times.seconds, power=power), logs)
        return [place for place, column in enumerate(shares.T) if column.max() >= SEEN]

    def _spreads(self, logs: Array, fitted: list[int]) -> dict[Number, float]:
        """How far off each fitted number may be: as the predictions at least, all of it at most."""
        errors = self._errors(logs)
        spread, weights = spread_of(errors), weights_of(errors, self._believed)
        shares = shares_of(self._hard, logs)[:, fitted]
        off = standard_errors(shares, weights, max(spread, FINEST))
        return {
            self._numbers[place]: float(np.clip(one, spread, 1.0))
            for place, one in zip(fitted, off, strict=True)
        }

    def _check_told_apart(self, logs: Array) -> None:
        """No combination of numbers may leave all measurements as they are."""
        seen, count = self._seen(logs, _POWERS[-1]), len(self._measured)
        if count < len(seen):
            raise UnfitMeasurementsError(count, f"they depend on {len(seen)} numbers")
        _, sizes, directions = np.linalg.svd(shares_of(self._hard, logs)[:, seen])
        if seen and sizes[-1] < _TOLD_APART * sizes[0]:
            parts = zip(seen, directions[-1], strict=True)
            names = [str(self._numbers[place]) for place, part in parts if abs(part) > 0.2]
            raise UnfitMeasurementsError(count, f"they cannot tell apart {' and '.join(names)}")
