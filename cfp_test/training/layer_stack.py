"""Runs a stack of equal flax linen layers: scanned or unrolled, with or without recomputation.

A layer maps its carry to a carry of the same shapes; `context` (masks, encoder output) is the same
for every layer:

    x = apply_layers(Layer, LayerPolicy(scan=True, remat=False), 24, (config,), x, mask)

Scanned, the parameters of all layers are stacked ([24, ...]) and the step holds one layer's ops in
a loop; unrolled, every layer has its own parameters and ops.
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn

PyTree = Any


@dataclass(frozen=True)
class LayerPolicy:
    """How a stack of layers is run: in a loop or one after the other, recomputed or kept."""

    scan: bool = False
    remat: bool = False


def apply_layers(
    layer: type[nn.Module],
    policy: LayerPolicy,
    count: int,
    fields: tuple[Any, ...],
    carry: PyTree,
    *context: PyTree,
    name: str = "layer",
) -> PyTree:
    """The carry after `count` layers `layer(*fields)`; call it inside a compact method."""
    if policy.remat:
        layer = nn.remat(layer, prevent_cse=not policy.scan)
    run = _run_scanned if policy.scan else _run_unrolled
    return run(layer, count, fields, carry, context, name)


def _run_unrolled(layer, count, fields, carry, context, name):
    for index in range(count):
        carry = layer(*fields, name=f"{name}_{index}")(carry, *context)
    return carry


def _run_scanned(layer, count, fields, carry, context, name):
    def body(each, carry, *context):
        return each(carry, *context), None

    loop = nn.scan(
        body,
        variable_axes={"params": 0, "batch_stats": 0},
        split_rngs={"params": True, "dropout": True},
        in_axes=nn.broadcast,
        length=count,
    )
    carry, _ = loop(layer(*fields, name=name), carry, *context)
    return carry
