"""The smallest train step, laid out by hand: `data` on 4 devices, `model` on 2.

h = relu(x·W1)   W1 by columns       y = h·W2   W2 by rows, an all-reduce on `model`
"""

from dataclasses import replace

from cfp.ir.layout import AxisCut, Layout, Pin
from cfp.ir.mesh import Mesh
from cfp.ir.plan import Plan, Storage
from cfp.passes.trace_step import trace_step
from cfp_test.zoo import mlp

MESH = Mesh.parse("data:4 x model:2")
ROWS, COLUMNS = (AxisCut("model", 0),), (AxisCut("model", 1),)
BATCH = (AxisCut("data", 0),)
HIDDEN = (*BATCH, *COLUMNS)


def traced_mlp(**choices):
    return trace_step(*mlp.train_step(), **choices)


def storage_of(name):
    """By the weight's name, be it the weight or a moment of it; of the batch, its examples."""
    kinds = {"'first'": COLUMNS, "'second'": ROWS, "batch": BATCH}
    return next((cuts for word, cuts in kinds.items() if word in name), ())


def layout_of(step):
    arguments = tuple(storage_of(one.name) for one in step.arguments)
    results = tuple(storage_of(one.name) for one in step.results)
    pins = (
        Pin("0", (BATCH, COLUMNS), HIDDEN),  # x·W1
        Pin("4", (HIDDEN, ROWS), BATCH),  # h·W2
        Pin("13", (BATCH, HIDDEN), COLUMNS),  # dW2, transposed
        Pin("15", (BATCH, ROWS), HIDDEN),  # dh
        Pin("18", (HIDDEN, BATCH), ROWS),  # dW1, transposed
    )
    return Layout(MESH, (), arguments, results, results, pins, ())


def plan_of(step, layout):
    rows = zip(step.arguments, layout.arguments, strict=True)
    storage = tuple(Storage(one.name, cuts, one.shape, one.dtype) for one, cuts in rows)
    return Plan("data x megatron", step.name, "9f31", "0.10.2", layout.mesh, (), storage)


def with_pin(layout, pin):
    """The layout with another pin for the equation."""
    return replace(layout, pins=tuple(pin if one.path == pin.path else one for one in layout.pins))
