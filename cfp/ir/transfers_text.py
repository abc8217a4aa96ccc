"""What a layout moves, as people read it: the collectives of one step, summed by kind and axis.

layout on data:4 x megatron:2: 31 pins, 33 transfers of one device in one step
  kind        axis      times       bytes
  all-reduce  data         22     251 KiB
  all-reduce  megatron     11     128 KiB
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cfp.ir.table import table
from cfp.ir.units import bytes_text

if TYPE_CHECKING:
    from cfp.ir.layout import Layout


def transfers_text(layout: Layout) -> str:
    """A line for each kind of collective on each axis."""
    times: defaultdict[tuple[str, str], int] = defaultdict(int)
    size_bytes: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in layout.transfers:
        times[one.kind, one.axis] += one.times
        size_bytes[one.kind, one.axis] += one.times * one.size_bytes
    rows = [(*key, times[key], bytes_text(size_bytes[key])) for key in sorted(times)]
    moves = f"{sum(times.values())} transfers of one device in one step"
    head = f"layout on {layout.mesh}: {len(layout.pins)} pins, {moves}"
    return "\n".join([head, *(table(("kind", "axis", "times", "bytes"), rows) if rows else [])])
