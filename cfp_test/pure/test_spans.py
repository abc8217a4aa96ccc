"""Where mesh axes lie on a network, checked by counting devices and links."""

from collections import Counter
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.costs.spans import crowded, lay_mesh
from cfp.errors import UnfitNetworkError
from cfp.ir.mesh import Mesh
from cfp_test.pure.small_hardware import link, network, wired

NODES = network(wired("switch", 8, links=18), wired("tree", 4, links=8))


def told(route):
    return [
        [(one.wiring.form, one.count, one.stride, one.sharing) for one in spans] for spans in route
    ]


def test_the_last_axis_lies_innermost():
    laid = lay_mesh(Mesh.parse("data:8 x model:4"), NODES)
    assert told(laid.route(["model"])) == [[("switch", 4, 1, 1)]]
    assert told(laid.route(["data"])) == [[("switch", 2, 4, 1)], [("tree", 4, 1, 8)]]


def test_axes_side_by_side_make_one_span():
    laid = lay_mesh(Mesh.parse("data:8 x model:4"), NODES)
    assert told(laid.route(["data", "model"])) == [[("switch", 8, 1, 1)], [("tree", 4, 1, 8)]]
    assert laid.route(["data", "model"]) == laid.route(["model", "data"])


def test_axes_apart_on_a_ring_stay_two_spans_and_on_a_switch_make_one():
    mesh = Mesh.parse("a:2 x b:2 x c:2")
    ring = lay_mesh(mesh, network(wired("ring", 8))).route(["a", "c"])
    assert told(ring) == [[("ring", 2, 1, 1), ("ring", 2, 4, 1)]]
    switch = lay_mesh(mesh, network(wired("switch", 8))).route(["a", "c"])
    assert told(switch) == [[("switch", 4, 1, 1)]]


def test_a_grid_is_filled_from_its_last_dimension():
    grid = network([wired("ring", 4), wired("line", 2)])
    laid = lay_mesh(Mesh.parse("data:4 x model:2"), grid)
    assert told(laid.route(["model"])) == [[("line", 2, 1, 1)]]
    assert told(laid.route(["data"])) == [[("ring", 4, 1, 1)]]


def test_a_small_mesh_leaves_the_rest_free_and_an_axis_of_one_goes_nowhere():
    laid = lay_mesh(Mesh.parse("one:1 x data:4"), NODES)
    assert told(laid.route(["data"])) == [[("switch", 4, 1, 1)]]
    assert laid.route(["one"]) == ()


@pytest.mark.parametrize(
    ("mesh", "problem"),
    [
        ("data:64", "no device is left for axis data, it joins 32"),
        ("data:3", "axis data has 3 left where 8 of switch:8 of 18 wire are free"),
        ("data:8 x model:6", "axis model has 6 left"),
    ],
)
def test_a_mesh_that_does_not_fit_is_refused(mesh, problem):
    with pytest.raises(UnfitNetworkError, match=problem):
        lay_mesh(Mesh.parse(mesh), NODES)


FACTORS = st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=4)
FORMS = ("ring", "line", "full", "switch", "tree")


@given(FACTORS, FACTORS, st.sampled_from(FORMS))
def test_spans_are_where_the_devices_are(sizes, axes, form):
    """Each axis, walked device by device through the counting order of mesh and network."""
    wires = network(*(wired(form, size) for size in sizes))
    mesh = Mesh(tuple((f"a{number}", size) for number, size in enumerate(axes)))
    if mesh.devices > wires.devices:
        with pytest.raises(UnfitNetworkError):
            lay_mesh(mesh, wires)
        return
    laid = lay_mesh(mesh, wires)
    for place, (name, size) in enumerate(mesh.axes):
        apart = prod(mesh.sizes[place + 1 :])
        group = [digits(number * apart, sizes) for number in range(size)]
        route = laid.route([name])
        assert prod(span.count for spans in route for span in spans) == size
        for spans in route:
            for span in spans:
                met = sorted({member[span.slot[0]] for member in group})
                assert met == [number * span.stride for number in range(span.count)]
                assert span.sharing == prod(sizes[: span.slot[0]])


def digits(number, sizes):
    """The members that a device is of, from the inside."""
    found = []
    for size in sizes:
        number, digit = divmod(number, size)
        found.append(digit)
    return found


@pytest.mark.parametrize(("outer", "count", "stride"), list(product([1, 2], [2, 4], [1, 2, 3])))
@pytest.mark.parametrize("form", ["ring", "line"])
def test_groups_side_by_side_share_links(form, outer, count, stride):
    """All groups send to the next member at once: no link carries more than the span says."""
    size = outer * count * stride
    mesh = Mesh((("outer", outer), ("axis", count), ("inner", stride)))
    (span,) = lay_mesh(mesh, network(wired(form, size, link=link(120, 5)))).route(["axis"])[0]
    steps = count if span.is_closed else count - 1
    carried = Counter(
        (block * count * stride + start + step * stride + hop) % size
        for block, start, step, hop in product(
            range(outer), range(stride), range(steps), range(stride)
        )
    )
    assert span.bytes_per_second == 120 / max(carried.values())
    assert span.latency_s == 5 * stride


def test_a_crowded_route_is_shared():
    route = lay_mesh(Mesh.parse("data:8"), NODES).route(["data"])
    assert told(crowded(route, 3)) == [[("switch", 8, 1, 3)]]
