"""A device and a network with some of their numbers replaced.

A number is named by where it stands: ("launch", ""), ("products", "bf16"), ("vectors", "f32"),
("memory", ""), ("bandwidth", "nvlink-4"), ("latency", "nvlink-4"). Factors multiply the seconds
that it costs, so a rate is divided: a launch of 2 us with the factor 1.5 is 3 us, and a memory that
reaches 90 % of its peak reaches 60 %.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cfp.ir.hardware import Device, Link, Quantity, Rate
from cfp.ir.network import Level, Network


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a device or of a link."""

    what: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.what} of {self.of}" if self.of else self.what


Factors = dict[Number, float]
_Change = Callable[[Number, Quantity, float], Quantity]  # a number, and by what to multiply it


def numbers_of(device: Device, network: Network) -> list[Number]:
    """All that can be fitted; what is nought stays so."""
    links = list(dict.fromkeys(one.link.name for level in network.levels for one in level))
    return [
        Number("launch"),
        *(Number("products", dtype) for dtype, _ in device.products),
        *(Number("vectors", dtype) for dtype, _ in device.vectors),
        Number("memory"),
        *(Number(what, link) for link in links for what in ("bandwidth", "latency")),
    ]


def scaled(device: Device, network: Network, factors: Factors) -> tuple[Device, Network]:
    """The same hardware where each number takes so many times as long."""

    def change(number: Number, quantity: Quantity, power: float) -> Quantity:
        factor = factors.get(number, 1.0) ** power
        return replace(quantity, value=quantity.value * factor)

    return _device(device, change), _network(network, change)


def as_measured(
    device: Device,
    network: Network,
    factors: Factors,
    spreads: dict[Number, float],
    origin: str,
) -> tuple[Device, Network]:
    """The scaled hardware, where what was fitted says so."""

    def change(number: Number, quantity: Quantity, power: float) -> Quantity:
        if number not in spreads:
            return quantity
        value = quantity.value * factors[number] ** power
        return Quantity(value, quantity.unit, "measured", origin, spreads[number])

    return _device(device, change), _network(network, change)


def _device(device: Device, change: _Change) -> Device:
    return replace(
        device,
        products=tuple(
            (dtype, _rate(Number("products", dtype), rate, change))
            for dtype, rate in device.products
        ),
        vectors=tuple(
            (dtype, _rate(Number("vectors", dtype), rate, change)) for dtype, rate in device.vectors
        ),
        memory=_rate(Number("memory"), device.memory, change),
        launch=change(Number("launch"), device.launch, 1),
    )


def _network(network: Network, change: _Change) -> Network:
    return replace(network, levels=tuple(_level(level, change) for level in network.levels))


def _level(level: Level, change: _Change) -> Level:
    return tuple(replace(wiring, link=_link(wiring.link, change)) for wiring in level)


def _link(link: Link, change: _Change) -> Link:
    return replace(
        link,
        bandwidth=_rate(Number("bandwidth", link.name), link.bandwidth, change),
        latency=change(Number("latency", link.name), link.latency, 1),
    )


def _rate(number: Number, rate: Rate, change: _Change) -> Rate:
    return replace(rate, reached=change(number, rate.reached, -1))
