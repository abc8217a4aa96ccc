"""Devices and links as numbers, each with its unit and where it comes from.

    device a100-40gb, gpu
      products of bf16    312 TFLOP/s, published [1]; 75.0 % of it reached ± 20.0 %, assumed [2]
      memory              40.0 GiB, published [4]
      its bandwidth       1.56 TB/s, published [1]; 90.0 % of it reached ± 10.0 %, assumed [5]
      launch of a kernel  1.50 us ± 50.0 %, derived [6]
      [1] NVIDIA A100 SXM data sheet …

A rate is a peak and the share of it that programs reach. The peak is what the vendor says; the
share is where a data sheet and a program differ, so it is the part that a measurement replaces.
"""

from dataclasses import dataclass
from math import hypot, isfinite

from cfp.errors import InconsistentError
from cfp.ir import hardware_text
from cfp.ir.json_codec import decode, encode

UNITS = ("FLOP/s", "B/s", "B", "s", "share")
BASES = ("published", "derived", "measured", "assumed")
PLATFORMS = ("gpu", "tpu", "cpu")

# What a dtype is computed as where a device has no units for it: the first that it has.
_HELD_BY = {
    "f8": ("f8", "bf16", "f16", "f32"),
    "bf16": ("bf16", "f32"),
    "f16": ("f16", "f32"),
    "f32": ("f32",),
    "f64": ("f64",),
    "s8": ("s8", "f32"),
}
_NAMED_AS = {"f4": "f8", "f6": "f8", "s4": "s8", "u4": "s8", "u8": "s8", "pred": "s8"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a unit of UNITS.

    basis says how it is known: a vendor published it, it is derived from such numbers, it was
    measured, or it is assumed until somebody measures. origin names the source. spread is how far
    off it may be, as a share of itself.
    """

    value: float
    unit: str
    basis: str
    origin: str
    spread: float = 0.0

    def verify(self) -> None:
        """The unit and the basis are known, the number is none below zero, and it has an origin."""
        facts = (
            (self.unit in UNITS, f"the unit is {self.unit!r}"),
            (self.basis in BASES, f"the basis is {self.basis!r}"),
            (bool(self.origin.strip()), "there is no origin"),
            (isfinite(self.value) and self.value >= 0, "it is negative or not finite"),
            (isfinite(self.spread) and self.spread >= 0, "its spread is negative or not finite"),
        )
        for holds, fact in facts:
            if not holds:
                raise InconsistentError("Quantity", f"{self.value:g} {self.unit}", fact)

    def __str__(self) -> str:
        return hardware_text.quantity(self)


@dataclass(frozen=True, slots=True)
class Rate:
    """A peak per second, and the share of it that programs reach."""

    peak: Quantity
    reached: Quantity

    @property
    def parts(self) -> tuple[Quantity, Quantity]:
        """The peak, and the share."""
        return (self.peak, self.reached)

    @property
    def per_second(self) -> float:
        """What programs reach."""
        return self.peak.value * self.reached.value

    @property
    def spread(self) -> float:
        """How far off that may be, as a share of itself."""
        return hypot(self.peak.spread, self.reached.spread)

    def verify(self) -> None:
        """Both are above zero, and the share is one."""
        for one in self.parts:
            one.verify()
        facts = (
            (self.per_second > 0, f"{self.per_second:g} {self.peak.unit} are reached"),
            (self.reached.unit == "share", f"the share of its peak is in {self.reached.unit}"),
        )
        for holds, fact in facts:
            if not holds:
                raise InconsistentError("Rate", str(self.peak), fact)

    def __str__(self) -> str:
        return hardware_text.rate(self)


@dataclass(frozen=True, slots=True)
class Device:
    """What JAX shows as one device.

    products and vectors are the FLOP/s of matrix and of vector units by dtype, dense; memory is the
    bandwidth of its memory, and launch what a kernel takes however small it is. A dtype that it has
    no units for is computed as a wider one.
    """

    name: str
    platform: str
    products: tuple[tuple[str, Rate], ...]
    vectors: tuple[tuple[str, Rate], ...]
    memory_bytes: Quantity
    memory: Rate
    launch: Quantity

    def rate(self, kind: str, dtype: str) -> Rate:
        """The FLOP/s of a kernel of kind "product" or "other" in a dtype of HLO: f8e4m3fn, bf16."""
        return self._rates(kind)[self.computed_as(kind, dtype)]

    def computed_as(self, kind: str, dtype: str) -> str:
        """The dtype of the units that compute it: the first that holds it, or the slowest."""
        rates = self._rates(kind)
        for held_by in _HELD_BY.get(_unit_dtype(dtype), ("f32",)):
            if held_by in rates:
                return held_by
        return min(rates, key=lambda one: rates[one].per_second)

    def _rates(self, kind: str) -> dict[str, Rate]:
        return dict(self.products if kind == "product" else self.vectors)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every number of the device."""
        rates = [rate for _, rate in (*self.products, *self.vectors)]
        parts = [part for rate in (*rates, self.memory) for part in rate.parts]
        return (*parts, self.memory_bytes, self.launch)

    def verify(self) -> None:
        """It has a rate for products and for vectors, each dtype once, in the right units."""
        for rates in (self.products, self.vectors):
            dtypes = [dtype for dtype, _ in rates]
            self._check(bool(dtypes) and len(set(dtypes)) == len(dtypes), f"rates of {dtypes}")
            for _, rate in rates:
                rate.verify()
                self._check(rate.peak.unit == "FLOP/s", f"computes at {rate}")
        self.memory.verify()
        self._check(self.platform in PLATFORMS, f"its platform is {self.platform!r}")
        self._check(self.memory.peak.unit == "B/s", f"its memory moves {self.memory}")
        for quantity, unit in ((self.memory_bytes, "B"), (self.launch, "s")):
            quantity.verify()
            self._check(quantity.unit == unit, f"{quantity} is not in {unit}")

    def _check(self, holds: bool, fact: str) -> None:
        if not holds:
            raise InconsistentError("Device", self.name, fact)

    def to_json(self) -> str:
        """The device as JSON text: a hardware file."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "Device":
        """The device that `to_json` wrote."""
        device = decode(cls, text)
        device.verify()
        return device

    def __str__(self) -> str:
        return hardware_text.device(self)


def _unit_dtype(dtype: str) -> str:
    """`f8` for `f8e5m2`, `s8` for what units of that width compute."""
    short = dtype.partition("e")[0] if dtype.startswith("f") else dtype
    return _NAMED_AS.get(short, short)


@dataclass(frozen=True, slots=True)
class Link:
    """What connects two neighbours: bytes per second in each direction, and seconds per message."""

    name: str
    bandwidth: Rate
    latency: Quantity

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every number of the link."""
        return (*self.bandwidth.parts, self.latency)

    @property
    def spread(self) -> float:
        """How far off a time over it may be: by the worse of its two numbers."""
        return max(self.bandwidth.spread, self.latency.spread)

    def verify(self) -> None:
        """The bandwidth is in bytes per second and the latency in seconds."""
        self.bandwidth.verify()
        self.latency.verify()
        if (self.bandwidth.peak.unit, self.latency.unit) != ("B/s", "s"):
            fact = f"{self.bandwidth} and {self.latency} are not in B/s and s"
            raise InconsistentError("Link", self.name, fact)

    def to_json(self) -> str:
        """The link as JSON text: a hardware file."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "Link":
        """The link that `to_json` wrote."""
        link = decode(cls, text)
        link.verify()
        return link

    def __str__(self) -> str:
        return hardware_text.link(self)
