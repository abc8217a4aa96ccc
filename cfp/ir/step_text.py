"""What a step takes and gives, one line per parameter: `state  99 arrays  1.30 MiB  donated`."""

import math
import re
from collections.abc import Iterator
from itertools import groupby

from cfp.ir.step import ArrayInfo, TracedStep
from cfp.ir.table import table
from cfp.ir.units import bytes_text

_TOP_NAME = re.compile(r"\w+")
_BITS = re.compile(r"[a-z]+(\d+)")


def summary(step: TracedStep) -> str:
    """The step in a few lines, however many arrays its state has."""
    counts = f"{len(step.equations)} equations, {bytes_text(len(step.hlo))} of HLO"
    rows = [*_rows("takes", step.arguments), *_rows("gives", step.results)]
    static = [f"  static  {one}" for one in step.static_arguments]
    return "\n".join(
        [f"step {step.name}: {counts}", *static, *table(("", "name", "size", "arrays"), rows)]
    )


def size_bytes(array: ArrayInfo) -> int:
    """Of a PRNG key, those of its two words."""
    if array.dtype.startswith("key<"):
        bits = 64
    else:
        width = _BITS.match(array.dtype)
        bits = int(width[1]) if width else 8
    return math.ceil(math.prod(array.shape) * bits / 8)


def _rows(verb: str, arrays: tuple[ArrayInfo, ...]) -> Iterator[tuple[str, str, str, str]]:
    for name, group in groupby(arrays, _top_name):
        members = list(group)
        donated = ", donated" if all(one.donated for one in members) else ""
        told = f"{len(members)} arrays" if len(members) > 1 else _shape(members[0])
        yield verb, name, bytes_text(sum(map(size_bytes, members))), told + donated


def _top_name(array: ArrayInfo) -> str:
    """`state` for `state.params['wte']`, `result[0]` for `result[0].step`."""
    found = re.match(r"result\[\d+\]", array.name) or _TOP_NAME.match(array.name)
    return found[0] if found else array.name


def _shape(array: ArrayInfo) -> str:
    return str(array).split("  ", maxsplit=1)[0]
