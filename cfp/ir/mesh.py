"""Devices in a grid with named axes, the major one first.

data:4 x model:2       8 devices; the two that share a `data` place are neighbours
Mesh.of_devices(8)     a:2 x b:2 x c:2, the prime factors: every grid of 8 devices is a grouping
                       of these axes
"""

import re
from dataclasses import dataclass
from math import prod

from cfp.errors import InconsistentError, UnreadableMeshError

_AXIS = re.compile(r"\s*([A-Za-z_]\w*)\s*:\s*(\d+)\s*")


@dataclass(frozen=True, slots=True)
class Mesh:
    """axes are (name, size), in the order in which the devices are counted."""

    axes: tuple[tuple[str, int], ...]

    @classmethod
    def of_devices(cls, devices: int) -> "Mesh":
        """One axis per prime factor of the number of devices, called a, b, c from the largest."""
        factors = sorted(_prime_factors(devices), reverse=True)
        return cls(tuple((_letters(number), size) for number, size in enumerate(factors)))

    @classmethod
    def parse(cls, text: str) -> "Mesh":
        """The mesh that `str` wrote: `data:4 x model:2`."""
        parts = [_AXIS.fullmatch(part) for part in re.split(r"\sx\s", text)]
        if not all(parts):
            raise UnreadableMeshError(text)
        mesh = cls(tuple((part[1], int(part[2])) for part in parts if part))
        mesh.verify()
        return mesh

    @property
    def names(self) -> tuple[str, ...]:
        """The axes' names, major first."""
        return tuple(name for name, _ in self.axes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The axes' sizes, major first."""
        return tuple(size for _, size in self.axes)

    @property
    def devices(self) -> int:
        """How many devices there are."""
        return prod(self.sizes)

    def size(self, *names: str) -> int:
        """The product of the sizes of some axes; 1 of none."""
        return prod(dict(self.axes)[name] for name in names)

    def verify(self) -> None:
        """Every axis has a name of its own and at least one device."""
        if len(set(self.names)) != len(self.axes):
            raise InconsistentError("Mesh", str(self), "two axes share a name")
        if any(size < 1 for size in self.sizes):
            raise InconsistentError("Mesh", str(self), "an axis has no device")

    def __str__(self) -> str:
        return " x ".join(f"{name}:{size}" for name, size in self.axes)


def _prime_factors(number: int) -> list[int]:
    factors: list[int] = []
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors


def _letters(number: int) -> str:
    """Counts a, b, …, z, aa, ab and so on."""
    rest, last = divmod(number, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("a") + last)
