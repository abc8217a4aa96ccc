"""How much memory of one device a step takes.

arguments     12.1 MiB     what it is given, state and batch
results       12.1 MiB     what it gives back, and the list of where that lies
aliased       12.1 MiB     results that are written over donated arguments
temporaries   40.3 MiB     the most that is alive in between
peak          52.4 MiB     all together, what is aliased counted once
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes on one device."""

    arguments: int
    results: int
    aliased: int
    temporaries: int

    @property
    def peak(self) -> int:
        """What the device must have."""
        return self.arguments + self.results - self.aliased + self.temporaries

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """`("arguments", 12_100)` and so on, the peak last."""
        return (
            ("arguments", self.arguments),
            ("results", self.results),
            ("aliased", self.aliased),
            ("temporaries", self.temporaries),
            ("peak", self.peak),
        )
