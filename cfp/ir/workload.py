"""What one device does when it runs a program, as far as that decides how long it takes.

    times  kernel   dtype       FLOPs  moved
    2 ×    product  f32    8.59 GFLOP  36.0 MiB    y = x·W of [1024,4096] and [4096,1024]
    1 ×    other    f32    1.05 MFLOP  8.00 MiB    gelu(y)
    times  collective    result  axes
    1 ×    all-reduce  4.00 MiB  model             the sum of y

A kernel is what a device launches at once: a fusion, a product. How long all this takes depends on
a device and a network; see `cfp.costs.analytic`.
"""

from dataclasses import dataclass

from cfp.errors import InconsistentError
from cfp.ir.json_codec import decode, encode
from cfp.ir.table import table
from cfp.ir.units import bytes_text, flops_text

KERNEL_KINDS = ("product", "other")
COMMUNICATION_KINDS = (
    "all-reduce",
    "all-gather",
    "reduce-scatter",
    "all-to-all",
    "collective-permute",
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """Something that is launched `times` times; flops and moved_bytes are those of one launch.

    A "product" is a dot or a convolution, computed by matrix units as `dtype`; "other" is the rest,
    computed by vector units. moved_bytes counts what is read from and written to device memory.
    """

    kind: str
    flops: int
    moved_bytes: int
    dtype: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Communication:
    """A collective over mesh axes, `times` times.

    size_bytes is what one device holds of the result each time, as HLO shows it. Of a value of
    8 MiB on an axis of 4 devices:

        all-reduce          8 MiB    the whole sum
        all-gather          8 MiB    the whole value, of which a device had 2 MiB
        reduce-scatter      2 MiB    its part of the sum
        all-to-all          8 MiB    as much as it had: 2 MiB for and from each device
        collective-permute  8 MiB    as much as it had
    """

    kind: str
    axes: tuple[str, ...]
    size_bytes: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything one device does in one program."""

    kernels: tuple[Kernel, ...]
    communications: tuple[Communication, ...] = ()

    def verify(self) -> None:
        """Kinds are known, nothing is negative, and a collective's axes are named once each."""
        for one in self.kernels:
            self._check(one.kind in KERNEL_KINDS, f"a kernel is of kind {one.kind!r}")
            counts = (one.flops, one.moved_bytes, one.times)
            self._check(min(counts) >= 0, "a kernel counts less than nothing")
        for one in self.communications:
            self._check(one.kind in COMMUNICATION_KINDS, f"a collective is of kind {one.kind!r}")
            self._check(bool(one.axes), "a collective runs over no axis")
            self._check(len(set(one.axes)) == len(one.axes), "a collective names an axis twice")
            self._check(min(one.size_bytes, one.times) >= 0, "a collective sends less than nothing")

    @staticmethod
    def _check(holds: bool, fact: str) -> None:
        if not holds:
            raise InconsistentError("Workload", "kernels and collectives", fact)

    def to_json(self) -> str:
        """The workload as JSON text."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "Workload":
        """The workload that `to_json` wrote."""
        workload = decode(cls, text)
        workload.verify()
        return workload

    def __str__(self) -> str:
        flops = sum(one.flops * one.times for one in self.kernels)
        moved = sum(one.moved_bytes * one.times for one in self.kernels)
        kernels = [
            (
                f"{one.times} ×",
                one.kind,
                one.dtype,
                flops_text(one.flops),
                bytes_text(one.moved_bytes),
            )
            for one in self.kernels
        ]
        sent = [
            (f"{one.times} ×", one.kind, bytes_text(one.size_bytes), " and ".join(one.axes))
            for one in self.communications
        ]
        title = f"one device computes {flops_text(flops)} and moves {bytes_text(moved)}"
        lines = [title]
        if kernels:
            lines += table(("times", "kernel", "dtype", "FLOPs", "moved"), kernels)
        if sent:
            lines += table(("times", "collective", "result", "axes"), sent)
        return "\n".join(lines)
