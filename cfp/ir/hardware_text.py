"""Devices, links and networks as people read them: every number with its unit, basis and origin.

link pcie-4-x16
  bandwidth  31.5 GB/s, derived [1]; 80.0 % of it reached ± 15.0 %, assumed [2]
  latency    5.00 us ± 50.0 %, assumed [3]
  [1] 16 GT/s x 16 lanes x 128/130
  [2] packet headers and copies, until calibrated
  [3] a copy between devices through the host, until calibrated
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfp.ir.table import paragraph, table
from cfp.ir.units import bytes_text, percent_text, rate_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfp.ir.hardware import Device, Link, Quantity, Rate
    from cfp.ir.network import Network, Wiring

_Row = tuple[str, "tuple[Quantity, ...]"]  # a number; or a peak, and the share of it


def quantity(one: Quantity) -> str:
    """`1.50 us ± 50.0 %, assumed`."""
    spread = f" ± {percent_text(one.spread)}" if one.spread else ""
    return f"{_number(one.value, one.unit)}{spread}, {one.basis}"


def _number(value: float, unit: str) -> str:
    if unit == "s":
        return seconds_text(value)
    if unit == "B":
        return bytes_text(value)
    if unit == "share":
        return percent_text(value)
    return rate_text(value, unit.removesuffix("/s"))


def rate(one: Rate) -> str:
    """`25.0 GB/s, published; 80.0 % of it reached ± 15.0 %, assumed`."""
    return f"{quantity(one.peak)}; {_reached(one.reached)}"


def _reached(one: Quantity) -> str:
    return quantity(one).replace(" %", " % of it reached", 1)


def device(one: Device) -> str:
    """A device with all its numbers and their origins."""
    rows: list[_Row] = [
        *((f"products of {dtype}", rate.parts) for dtype, rate in one.products),
        *((f"vectors of {dtype}", rate.parts) for dtype, rate in one.vectors),
        ("memory", (one.memory_bytes,)),
        ("its bandwidth", one.memory.parts),
        ("launch of a kernel", (one.launch,)),
    ]
    return "\n".join([f"device {one.name}, {one.platform}", *_with_origins(rows)])


def link(one: Link) -> str:
    """A link with its numbers and their origins."""
    rows: list[_Row] = [("bandwidth", one.bandwidth.parts), ("latency", (one.latency,))]
    return "\n".join([f"link {one.name}", *_with_origins(rows)])


def _with_origins(rows: Sequence[_Row]) -> list[str]:
    """A line per number, and below them each origin once."""
    origins: dict[str, int] = {}
    cells = [(name, _told(parts, origins)) for name, parts in rows]
    notes = [line for origin, note in origins.items() for line in paragraph(f"  [{note}] ", origin)]
    return [*table(cells[0], cells[1:]), *notes]


def _told(parts: tuple[Quantity, ...], origins: dict[str, int]) -> str:
    return "; ".join(
        f"{text(part)} [{origins.setdefault(part.origin, len(origins) + 1)}]"
        for text, part in zip((quantity, _reached), parts, strict=False)
    )


def network(one: Network) -> str:
    """`switch:8 of 18 nvlink-4, tree:4 of 8 infiniband-ndr`, and the numbers of the links."""
    levels = wirings(one)
    title = levels if one.name == levels else f"{one.name}: {levels}"
    links = {each.link.name: each.link for level in one.levels for each in level}
    return "\n".join([f"network {title}", *map(link, links.values())])


def wirings(one: Network) -> str:
    """The levels of a network in one line, from the inside."""
    return ", ".join(" x ".join(map(wiring, level)) for level in one.levels)


def wiring(one: Wiring) -> str:
    """`tree:4 of 8 infiniband-ndr 2 times oversubscribed`."""
    count = f"{one.links} " if one.links > 1 else ""
    over = f" {one.oversubscription:g} times oversubscribed"
    shared = over if one.oversubscription > 1 else ""
    return f"{one.form}:{one.size} of {count}{one.link.name}{shared}"
