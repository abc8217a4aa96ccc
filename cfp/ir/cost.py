"""What one configuration costs on one set of devices, and under which key that is remembered.

    str(cost)       41.2 ms ± 0.3, 7 runs, measured (cpu clock) on cpu, 2026-11-21
    str(failed)     cannot run: out of memory, compiled (model clock) on TPU v5e, 2026-11-21
    str(key)        [batch->data] of program 9f31c0aa on data:8, cpu, measured
    key.digest()    f00d…, a sha256: the same in every process

A number without its source is worth nothing, so both carry it: what was measured and what a model
says are kept under different keys, and never take each other's place.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from math import inf, isfinite

from cfp.errors import InconsistentError
from cfp.ir.canonical_json import content_hash, object_in
from cfp.ir.json_codec import decode, encode
from cfp.ir.memory import MemoryUse
from cfp.ir.units import bytes_text, seconds_text

SOURCES = ("measured", "compiled", "analytic")
CLOCKS = ("cpu", "wall", "model")
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}


@dataclass(frozen=True, slots=True)
class Cost:
    """One configuration on one set of devices.

    - time_s, spread_s: the median and the median absolute deviation of so many repeats; of a model,
      its answer and its uncertainty, with no repeats.
    - clock: cpu for CPU seconds of the process, wall, or model where nothing was run.
    - source: measured, compiled (a compiler was asked) or analytic.
    - device: its kind, as JAX names it. when: the day, 2026-11-21.
    - exposed_communication_s, memory: of that time and on each device; None where unknown.
    - failure: why it cannot run, and then time_s is infinite; empty where it can.
    """

    time_s: float
    spread_s: float
    repeats: int
    clock: str
    source: str
    device: str
    when: str
    exposed_communication_s: float | None = None
    memory: MemoryUse | None = None
    failure: str = ""

    @classmethod
    def of_failure(cls, failure: str, *, clock: str, source: str, device: str, when: str) -> "Cost":
        """The cost of what cannot run: out of memory, a crash, a timeout."""
        return cls(inf, 0.0, 0, clock, source, device, when, failure=failure)

    def verify(self) -> None:
        """Its words are known, its numbers are possible, and it has a time or a failure."""
        for broken, fact in self._contradictions():
            if broken:
                raise InconsistentError("Cost", str(self), fact)

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        measured = self.source == "measured"
        runs = self.repeats > 0
        finite = (self.spread_s, self.exposed_communication_s or 0.0)
        memory = dict(self.memory.parts).values() if self.memory else ()
        return (
            (self.source not in SOURCES, f"{self.source!r} is no source"),
            (self.clock not in CLOCKS, f"{self.clock!r} is no clock"),
            (measured == (self.clock == "model"), f"{self.source} by the {self.clock} clock"),
            (not self.device, "it names no device"),
            (not _is_day(self.when), f"{self.when!r} is no day"),
            (bool(self.failure) != (self.time_s == inf), "a time and a failure exclude each other"),
            (not self.time_s >= 0, f"its time is {self.time_s}"),
            (not all(isfinite(one) and one >= 0 for one in finite), "a part of its time is none"),
            (self.repeats < 0, f"it was repeated {self.repeats} times"),
            (not measured and runs, "a model was repeated"),
            (measured and not runs and not self.failure, "it was measured and never run"),
            (any(size < 0 for size in memory), "a part of its memory is negative"),
        )

    @property
    def time_text(self) -> str:
        """`41.2 ms ± 0.3`, or `cannot run`."""
        if self.failure:
            return "cannot run"
        time = seconds_text(self.time_s)
        if not (self.repeats or self.spread_s):
            return time
        return f"{time} ± {_short(self.spread_s * _PER_SECOND[time.rpartition(' ')[2]])}"

    def __str__(self) -> str:
        provenance = f"{self.source} ({self.clock} clock) on {self.device}, {self.when}"
        return ", ".join([*self._facts(), provenance])

    def _facts(self) -> list[str]:
        exposed, repeats = self.exposed_communication_s, self.repeats
        facts = [self.time_text]
        if self.failure:
            facts = [f"cannot run: {self.failure.splitlines()[0]}"]
        if exposed is not None:
            facts.append(f"{seconds_text(exposed)} of it exposed communication")
        if self.memory:
            facts.append(bytes_text(self.memory.peak))
        if repeats:
            facts.append(f"{repeats} runs" if repeats > 1 else "1 run")
        return facts

    def to_json(self) -> str:
        """Strict JSON, in which nothing is infinite: the time of a failure is null."""
        data = json.loads(encode(self))
        if self.failure:
            data["time_s"] = None
        return json.dumps(data, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Cost":
        """The cost that `to_json` wrote."""
        data = object_in(text, "Cost")
        if data.get("failure") and data.get("time_s", inf) is None:
            data["time_s"] = inf
        cost = decode(cls, json.dumps(data))
        cost.verify()
        return cost


@dataclass(frozen=True, slots=True)
class Versions:
    """What a cost depends on besides its program; empty where it is unknown or not there."""

    jax: str
    jaxlib: str
    cfp: str
    compiler: str = ""

    def __str__(self) -> str:
        return ", ".join(f"{name} {text}" for name, text in asdict(self).items() if text)


@dataclass(frozen=True, slots=True)
class CostKey:
    """All that decides a cost: equal keys, equal costs.

    - program: the hash of the module that is run.
    - strategy, mesh: as they are written, "[batch->data]" and "data:8".
    - device, source: as in Cost.
    - flags: of the compiler, in the order in which they are given.
    """

    program: str
    strategy: str
    mesh: str
    device: str
    source: str
    versions: Versions
    flags: tuple[str, ...] = ()

    def digest(self) -> str:
        """The address of the cost: a sha256 in hexadecimal digits."""
        return content_hash(asdict(self))

    def verify(self) -> None:
        """It says of what program, on what, and by what means."""
        for name in ("program", "mesh", "device"):
            if not getattr(self, name):
                raise InconsistentError("CostKey", str(self), f"it names no {name}")
        if self.source not in SOURCES:
            raise InconsistentError("CostKey", str(self), f"{self.source!r} is no source")

    def __str__(self) -> str:
        return (
            f"{self.strategy} of program {self.program[:8]} on {self.mesh}, {self.device}, "
            f"{self.source}"
        )

    def to_json(self) -> str:
        """JSON text, with the name of every part."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "CostKey":
        """The key that `to_json` wrote."""
        key = decode(cls, text)
        key.verify()
        return key


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _short(number: float) -> str:
    """Two digits at most, and none behind the second place."""
    return f"{number:.0f}" if number >= 10 else f"{round(number, 2):.2g}"
