"""What measured workloads would take on hardware whose numbers are multiplied: the model fitted.

    kernel    launch × f₁ + max(compute × f₂, memory × f₃)     f₂ = 2: at half of the FLOP/s
    times     the sum over the kernels and collectives of each measurement

The same as `cfp.costs.analytic.estimate`, for all measurements at once. A maximum hides which of
its sides could be wrong, so a fit begins with a soft one, (compute^p + memory^p)^(1/p), whose both
sides always show; for p = 2, 3 and 4 us are 5 us, and 1 and 4 us are 4.1 us.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cfp.costs.analytic import compute_s, memory_s
from cfp.costs.calibrated import Number, numbers_of, scaled
from cfp.costs.collectives import collective_s
from cfp.costs.spans import LaidMesh, lay_mesh
from cfp.ir.hardware import Device
from cfp.ir.workload import Communication, Kernel, Workload

Array = NDArray[np.float64]


class PredictedTimes:
    """Times of workloads on a device and a network; a parameter is the logarithm of a factor."""

    def __init__(self, workloads: Sequence[Workload], device: Device, laid: LaidMesh) -> None:
        self.numbers = numbers_of(device, laid.network)
        self._workloads, self._device, self._laid = workloads, device, laid
        kernels = [
            (place, one) for place, workload in enumerate(workloads) for one in workload.kernels
        ]
        self._work_of = np.array([place for place, _ in kernels], int)
        self._times = np.array([one.times for _, one in kernels], float)
        self._compute_s = np.array([compute_s(one, device) for _, one in kernels], float)
        self._memory_s = np.array([memory_s(one, device) for _, one in kernels], float)
        self._units = np.array([self._unit(one) for _, one in kernels], int)
        self._launch = self.numbers.index(Number("launch"))
        self._memory = self.numbers.index(Number("memory"))
        self._communication_s: dict[tuple[float, ...], Array] = {}

    def seconds(self, logs: Array, power: float) -> Array:
        """The time of each one; the maximum is soft by `power`, and none if that is infinite."""
        factors = np.exp(logs)
        compute, memory = (
            self._compute_s * factors[self._units],
            self._memory_s * factors[self._memory],
        )
        bound = np.maximum(compute, memory)
        if np.isfinite(power):
            other = np.minimum(compute, memory) / np.maximum(bound, 1e-30)
            bound = bound * (1 + other**power) ** (1 / power)
        launched = self._device.launch.value * factors[self._launch] + bound
        seconds = np.bincount(self._work_of, self._times * launched, len(self._workloads))
        return seconds + self._communications(logs)

    def _unit(self, kernel: Kernel) -> int:
        """The number of the units that compute a kernel."""
        what = "products" if kernel.kind == "product" else "vectors"
        dtype = self._device.computed_as(kernel.kind, kernel.dtype)
        return self.numbers.index(Number(what, dtype))

    def _communications(self, logs: Array) -> Array:
        """Remembered, as most changes are not of links."""
        first = self._memory + 1
        changes = tuple(map(float, logs[first:]))
        if changes not in self._communication_s:
            by_number = dict(zip(self.numbers[first:], changes, strict=True))
            self._communication_s[changes] = self._sent(by_number)
        return self._communication_s[changes]

    def _sent(self, changes: Mapping[Number, float]) -> Array:
        factors = {number: float(np.exp(log)) for number, log in changes.items()}
        _, network = scaled(self._device, self._laid.network, factors)
        laid = lay_mesh(self._laid.mesh, network)

        def seconds(one: Communication) -> float:
            return one.times * collective_s(one.kind, one.size_bytes, laid.route(one.axes))

        return np.array(
            [sum(map(seconds, workload.communications)) for workload in self._workloads], float
        )
