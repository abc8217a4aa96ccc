"""How long a workload takes by its numbers alone: a roofline for kernels, α-β for collectives.

A kernel takes a launch, and then as long as its FLOPs or its memory need, whichever is more:

    product bf16, 1 GFLOP, 8 MB moved, on a device of 250 TFLOP/s and 1 TB/s that launches in 2 us
    2 us + max(1 GFLOP / 250 TFLOP/s = 4 us, 8 MB / 1 TB/s = 8 us) = 10 us

Kernels run one after the other, and so do collectives. `estimate` hides nothing: all communication
is exposed. `overlapped` hides what it can: the part of communication that fits beside all compute
of the same program. What a compiler makes of it lies between the two.
"""

from dataclasses import dataclass, replace

from cfp.costs.collectives import collective_s, route_spread
from cfp.costs.spans import LaidMesh
from cfp.ir.hardware import Device
from cfp.ir.units import seconds_text
from cfp.ir.workload import Kernel, Workload


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of one device, and how far off they may be.

    exposed_s is the communication that compute does not hide. uncertainty_s is what all parts may
    be off together, as if all erred the same way.
    """

    compute_s: float
    communication_s: float
    exposed_s: float
    uncertainty_s: float
    provenance: str

    @property
    def total_s(self) -> float:
        """From the beginning to the end of the program."""
        return self.compute_s + self.exposed_s

    def __str__(self) -> str:
        return (
            f"{seconds_text(self.total_s)} ± {seconds_text(self.uncertainty_s)}: "
            f"compute {seconds_text(self.compute_s)}, "
            f"exposed {seconds_text(self.exposed_s)} of {seconds_text(self.communication_s)} "
            f"communication ({self.provenance})"
        )


def estimate(workload: Workload, device: Device, laid: LaidMesh) -> Estimate:
    """The workload on one device, with all of its communication exposed."""
    kernels = [
        (one.times * kernel_s(one, device), _spread(one, device)) for one in workload.kernels
    ]
    routes = [(one, laid.route(one.axes)) for one in workload.communications]
    collectives = [
        (one.times * collective_s(one.kind, one.size_bytes, route), route_spread(route))
        for one, route in routes
    ]
    communication_s = sum(seconds for seconds, _ in collectives)
    return Estimate(
        compute_s=sum(seconds for seconds, _ in kernels),
        communication_s=communication_s,
        exposed_s=communication_s,
        uncertainty_s=sum(seconds * spread for seconds, spread in (*kernels, *collectives)),
        provenance=f"analytic: {device.name}, {laid.network.name}",
    )


def overlapped(whole: Estimate) -> Estimate:
    """The same workload where communication runs beside compute as far as it fits; as uncertain."""
    exposed_s = max(0.0, whole.communication_s - whole.compute_s)
    return replace(whole, exposed_s=exposed_s)


def kernel_s(kernel: Kernel, device: Device) -> float:
    """Seconds of one launch."""
    return device.launch.value + max(compute_s(kernel, device), memory_s(kernel, device))


def compute_s(kernel: Kernel, device: Device) -> float:
    """Seconds that its FLOPs need."""
    return kernel.flops / device.rate(kernel.kind, kernel.dtype).per_second


def memory_s(kernel: Kernel, device: Device) -> float:
    """Seconds that its memory needs."""
    return kernel.moved_bytes / device.memory.per_second


def _spread(kernel: Kernel, device: Device) -> float:
    """How far off its time may be, as a share: the launch and what binds it, each by its part."""
    bounds = (
        (compute_s(kernel, device), device.rate(kernel.kind, kernel.dtype).spread),
        (memory_s(kernel, device), device.memory.spread),
    )
    bound_s, spread = max(bounds)
    launch_s = device.launch.value
    if not launch_s + bound_s:
        return 0.0
    return (launch_s * device.launch.spread + bound_s * spread) / (launch_s + bound_s)
