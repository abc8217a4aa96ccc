"""Groups of devices in every form that XLA prints, and the mesh axes that they run along."""

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.formats.replica_groups import read_groups, spanned_axes
from cfp.ir.mesh import Mesh

PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7))
FOURS = ((0, 2, 4, 6), (1, 3, 5, 7))


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("replica_groups={{0,1},{2,3},{4,5},{6,7}}, dimensions={0}", PAIRS),
        ("channel_id=1, replica_groups=[4,2]<=[8], use_global_device_ids=true", PAIRS),
        ("replica_groups=[2,4]<=[4,2]T(1,0)", FOURS),
        ("replica_groups=mesh['axis_0'=4,'axis_1'=2] {'axis_1'}, dimensions={1}", PAIRS),
        ("replica_groups=mesh['axis_0'=4,'axis_1'=1,'axis_2'=2] {'axis_0'}", FOURS),
        ("replica_groups=mesh['a'=8] {'a':(2)2}", ((0, 2), (1, 3), (4, 6), (5, 7))),
        ("replica_groups=mesh['a'=2,'b'=2,'c'=2] {'a','c'}", ((0, 1, 4, 5), (2, 3, 6, 7))),
        ("replica_groups=mesh['a'=4,'b'=2], device_ids=([2,2,2]T(0,2,1)) {'a':(2)2}", PAIRS),
        ("replica_groups=mesh[a=2], device_ids=(1,0) {a}", ((1, 0),)),
        ("replica_groups={}, to_apply=%add", (tuple(range(8)),)),
        ("to_apply=%add", (tuple(range(8)),)),
        ("channel_id=2, source_target_pairs={{0,1},{1,0}}", ((0, 1), (1, 0))),
    ],
)
def test_groups_are_read(text, groups):
    assert read_groups(text, 8) == groups


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.data())
def test_a_transposed_grid_is_cut_into_rows(sizes, data):
    order = data.draw(st.permutations(range(len(sizes))))
    width = sizes[order[-1]]
    text = (
        f"replica_groups=[{prod(sizes) // width},{width}]<=[{','.join(map(str, sizes))}]"
        f"T({','.join(map(str, order))})"
    )
    number = {place: count for count, place in enumerate(product(*map(range, sizes)))}
    rows = {}
    for place, device in number.items():
        key = tuple(place[dim] for dim in order[:-1])
        rows.setdefault(key, {})[place[order[-1]]] = device
    expected = tuple(
        tuple(rows[key][last] for last in range(width))
        for key in product(*(range(sizes[dim]) for dim in order[:-1]))
    )
    assert read_groups(text, prod(sizes)) == expected


@given(st.lists(st.integers(2, 3), min_size=1, max_size=4), st.data())
def test_groups_along_axes_span_these_axes(sizes, data):
    mesh = Mesh(tuple((f"x{number}", size) for number, size in enumerate(sizes)))
    chosen = data.draw(st.lists(st.sampled_from(mesh.names), min_size=1, unique=True))
    axes = ",".join(f"'{name}'={size}" for name, size in mesh.axes)
    along = ",".join(f"'{name}'" for name in chosen)
    groups = read_groups(f"replica_groups=mesh[{axes}] {{{along}}}", mesh.devices)
    assert spanned_axes(groups, mesh) == tuple(name for name in mesh.names if name in chosen)
    assert {len(group) for group in groups} == {mesh.size(*chosen)}
    assert sorted(device for group in groups for device in group) == list(range(mesh.devices))


def test_groups_of_one_device_span_nothing():
    assert spanned_axes(((0,), (1,)), Mesh.parse("data:2")) == ()
