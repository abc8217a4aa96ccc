"""Names of baselines: they read as they are written, and wrong ones say how to write them."""

from itertools import pairwise, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.errors import UnfitDegreesError, UnreadableBaselineError
from cfp.ir.mesh import Mesh
from cfp.ir.plan_name import KINDS, REPEATING, STORAGES, Part, PlanName, parse
from cfp.plans_by_name.shares import equal_factors, shares_of


@st.composite
def names(draw: st.DrawFn) -> PlanName:
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True))
    parts = tuple(Part(kind, draw(st.integers(0, 64))) for kind in kinds)
    may_store = set(kinds) & set(REPEATING) and not set(kinds) & set(STORAGES)
    return PlanName(parts, draw(st.sampled_from(("", *STORAGES))) if may_store else "")


@given(names())
def test_a_name_reads_as_it_is_written(name: PlanName) -> None:
    assert parse(str(name)) == name


@pytest.mark.parametrize(
    ("text", "parts", "storage"),
    [
        ("data", (Part("data"),), ""),
        ("tensor:2", (Part("megatron", 2),), ""),
        ("data:4 x tensor + fsdp", (Part("data", 4), Part("megatron")), "fsdp"),
        ("  fsdp x  megatron : 2 ", (Part("fsdp"), Part("megatron", 2)), ""),
        ("sequence:8+zero1", (Part("sequence", 8),), "zero1"),
    ],
)
def test_what_a_name_says(text: str, parts: tuple[Part, ...], storage: str) -> None:
    assert parse(text) == PlanName(parts, storage)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is no kind with a degree"),
        ("data:4xmegatron:2", "'data:4xmegatron:2' is no kind with a degree"),
        ("data:-1", "'data:-1' is no kind with a degree"),
        ("data x", "'data x' is no kind with a degree"),
        ("pipeline:4", "'pipeline' is no kind of parallelism"),
        ("data:0", "'data' is asked for on 0 devices"),
        ("data x data", "'data' stands there twice"),
        ("megatron x tensor", "'megatron' stands there twice"),
        ("data + ", "'' is no storage"),
        ("data + zero3", "'zero3' is no storage"),
        ("fsdp x megatron + zero1", "'fsdp' says already how the state is stored"),
        ("megatron + fsdp", "no part holds anything twice that 'fsdp' divides"),
    ],
)
def test_a_wrong_name_teaches(text: str, problem: str) -> None:
    with pytest.raises(UnreadableBaselineError) as caught:
        parse(text)
    assert caught.value.what == f"{text!r} names no baseline: {problem}"


# ---- degrees


@given(st.integers(1, 400), st.integers(1, 4))
def test_factors_make_the_number_the_larger_first(number: int, count: int) -> None:
    factors = equal_factors(number, count)
    assert (prod(factors), len(factors)) == (number, count)
    assert all(a >= b for a, b in pairwise(factors))


@given(st.integers(1, 400))
def test_two_factors_are_as_equal_as_can_be(number: int) -> None:
    least = min(
        a - b for a, b in product(range(1, number + 1), repeat=2) if a * b == number and a >= b
    )
    a, b = equal_factors(number, 2)
    assert a - b == least


@pytest.mark.parametrize(
    ("name", "devices", "mesh"),
    [
        ("data", 8, "data:8"),
        ("data x megatron", 8, "data:4 x megatron:2"),
        ("data x megatron:4", 8, "data:2 x megatron:4"),
        ("data x sequence x megatron", 16, "data:4 x sequence:2 x megatron:2"),
        ("fsdp x megatron", 7, "fsdp:7 x megatron:1"),
    ],
)
def test_degrees_left_out_share_what_is_left(name: str, devices: int, mesh: str) -> None:
    shares = shares_of(parse(name), None, devices)
    assert (str(shares.mesh), str(shares.name)) == (mesh, mesh)


@pytest.mark.parametrize(
    ("name", "mesh", "full", "axes"),
    [
        ("data", "a:2 x b:2 x c:2", "data:8", ((0, 1, 2),)),
        ("data x megatron", "a:2 x b:2 x c:2", "data:4 x megatron:2", ((0, 1), (2,))),
        ("data:2 x megatron", "a:2 x b:2 x c:2", "data:2 x megatron:4", ((0,), (1, 2))),
        ("data x megatron", "a:2 x b:4", "data:2 x megatron:4", ((0,), (1,))),
        ("data x megatron:2", "a:3 x b:2", "data:3 x megatron:2", ((0,), (1,))),
    ],
)
def test_parts_take_the_axes_of_a_mesh_in_order(
    name: str, mesh: str, full: str, axes: tuple[tuple[int, ...], ...]
) -> None:
    shares = shares_of(parse(name), Mesh.parse(mesh), 1)
    assert (str(shares.mesh), str(shares.name), shares.axes) == (mesh, full, axes)


@pytest.mark.parametrize(
    ("name", "mesh", "devices", "told"),
    [
        ("data:3 x megatron", None, 8, "'data:3 x megatron' make 3, which does not fill 8 devices"),
        ("data:4", None, 8, "'data:4' make 4, which does not fill 8 devices"),
        ("data:16", None, 8, "'data:16' make 16, which does not fill 8 devices"),
        ("data:3", "a:4 x b:2", 8, "make 3, which does not fill the mesh a:4 x b:2, 8 devices"),
        ("data:2 x megatron:4", "a:4 x b:2", 8, "make 8, which does not fill the mesh a:4 x b:2"),
        ("data:2 x megatron:4", "a:8", 8, "make 8, which does not fill the mesh a:8, 8 devices"),
    ],
)
def test_degrees_that_do_not_fill_the_devices_are_refused(
    name: str, mesh: str | None, devices: int, told: str
) -> None:
    with pytest.raises(UnfitDegreesError) as caught:
        shares_of(parse(name), Mesh.parse(mesh) if mesh else None, devices)
    assert told in caught.value.what
