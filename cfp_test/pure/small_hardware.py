"""Devices, links and networks with round numbers."""

from cfp.ir.hardware import Device, Link, Quantity, Rate
from cfp.ir.network import Network, Wiring


def quantity(value, unit, spread=0.0):
    return Quantity(float(value), unit, "assumed", "a test", spread)


def rate(per_second, unit, spread=0.0):
    return Rate(quantity(per_second, unit), quantity(1, "share", spread))


def link(bytes_per_second=100e9, latency_s=1e-6, name="wire", spread=0.0):
    bandwidth = rate(bytes_per_second, "B/s", spread)
    return Link(name, bandwidth, quantity(latency_s, "s", spread))


def device(flops=250e12, vector_flops=10e12, bytes_per_second=1e12, launch_s=2e-6, spread=0.0):
    return Device(
        "chip",
        "gpu",
        (("bf16", rate(flops, "FLOP/s", spread)), ("f32", rate(flops / 2, "FLOP/s", spread))),
        (("f32", rate(vector_flops, "FLOP/s", spread)),),
        quantity(80e9, "B"),
        rate(bytes_per_second, "B/s", spread),
        quantity(launch_s, "s", spread),
    )


def network(*levels):
    """Each level a wiring, or several that make a grid."""
    as_levels = tuple((one,) if isinstance(one, Wiring) else tuple(one) for one in levels)
    return Network("net", as_levels)


def wired(form, size, **rest):
    return Wiring(form, size, rest.pop("link", link()), **rest)
