"""What a step starts from, made where it will lie: never whole on one device.

    init(key) -> state               as the plan stores the argument that it makes
    init(key) -> (net, optimizer)    each as the argument that it makes
    before there is a plan           spread over all devices; the first call moves it

An argument is recognised by the names, shapes and types of its arrays. The function runs as the
user's own under `jax.jit`: its values do not depend on the devices.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
from jax.sharding import NamedSharding, PartitionSpec

from cfp.ir.layout import AxisCut, Cuts
from cfp.ir.mesh import Mesh
from cfp.ir.plan import Plan
from cfp.runtime.finished import Finished
from cfp.runtime.grid import Grid
from cfp.runtime.objects import Call
from cfp.runtime.sharding import Subject, mesh_of, sharding_of

_TOP_NAME = re.compile(r"\w+")
_PLACE = re.compile(r"\[\d+\]")


class _Array(NamedTuple):
    """An array of an argument; its name goes on from that of the argument."""

    name: str
    shape: tuple[int, ...]
    dtype: str


def first_state(
    init: Callable[..., Finished], call: Call, plan: Plan | None, grid: Grid
) -> Finished:
    """What `init` makes of the call, laid out as the plan stores what it makes, else spread."""
    shapes, tree = jax.tree.flatten_with_path(jax.eval_shape(init, *call.args, **call.kwargs))
    made = [_Array(jax.tree_util.keystr(path), one.shape, str(one.dtype)) for path, one in shapes]
    axes = plan.mesh if plan else grid.mesh or Mesh.of_devices(len(grid.devices))
    mesh = mesh_of(axes, grid.devices)
    cuts = _planned(made, plan) or [_spread(one.shape, axes) for one in made]
    shardings = [
        sharding_of(mesh, own, Subject(one.shape, one.name, "the function given to init"))
        for one, own in zip(made, cuts, strict=True)
    ]
    whole = NamedSharding(mesh, PartitionSpec())
    args, kwargs = jax.device_put(tuple(call), whole)
    return jax.jit(init, out_shardings=jax.tree.unflatten(tree, shardings))(*args, **kwargs)


def _planned(made: list[_Array], plan: Plan | None) -> list[Cuts] | None:
    """How the plan stores these arrays, as one argument or several; None where they are none."""
    stored: dict[tuple[_Array, ...], list[Cuts]] = {}
    for arrays in _by_argument(plan).values():
        stored.setdefault(tuple(arrays), list(arrays.values()))
    parts = [made] if tuple(made) in stored else list(_parts(made))
    if not all(tuple(part) in stored for part in parts):
        return None
    return [cuts for part in parts for cuts in stored[tuple(part)]]


def _by_argument(plan: Plan | None) -> dict[str, dict[_Array, Cuts]]:
    """For each argument of the step its arrays, and how they are stored."""
    arguments: defaultdict[str, dict[_Array, Cuts]] = defaultdict(dict)
    for one in plan.storage if plan else ():
        top = _TOP_NAME.match(one.argument)
        start = top.end() if top else 0
        array = _Array(one.argument[start:], one.shape, one.dtype)
        arguments[one.argument[:start]][array] = one.cuts
    return arguments


def _parts(made: list[_Array]) -> Iterator[list[_Array]]:
    """The arrays of each element where a tuple was made."""
    elements: defaultdict[str, list[_Array]] = defaultdict(list)
    for one in made:
        place = _PLACE.match(one.name)
        start = place.end() if place else 0
        elements[one.name[:start]].append(one._replace(name=one.name[start:]))
    yield from elements.values()


def _spread(shape: tuple[int, ...], mesh: Mesh) -> Cuts:
    """Every axis that can cuts the dimension that is longest by then."""
    left = list(shape)
    cuts: list[AxisCut] = []
    for axis, size in mesh.axes:
        able = [dim for dim, length in enumerate(left) if length and length % size == 0]
        if able:
            dim = max(able, key=lambda dim: left[dim])
            left[dim] //= size
            cuts.append(AxisCut(axis, dim))
    return tuple(cuts)
