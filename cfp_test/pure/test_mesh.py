"""Meshes: their text, their default for a number of devices, what is refused."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfp.errors import InconsistentError, UnreadableMeshError
from cfp.ir.mesh import Mesh

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
MESHES = st.lists(
    st.tuples(NAMES, st.integers(1, 512)), min_size=1, max_size=6, unique_by=lambda axis: axis[0]
).map(lambda axes: Mesh(tuple(axes)))


@given(MESHES)
def test_the_text_of_a_mesh_is_read_back(mesh: Mesh) -> None:
    mesh.verify()
    assert Mesh.parse(str(mesh)) == mesh


def test_blanks_do_not_count_but_around_the_x() -> None:
    assert Mesh.parse(" data : 4  x model:2 ") == Mesh((("data", 4), ("model", 2)))
    assert Mesh.parse("x:2 x y:3").names == ("x", "y")


@pytest.mark.parametrize("text", ["", "data", "data:", ":4", "data:4 model:2", "4:data", "a:2xb:2"])
def test_what_describes_no_mesh_is_refused(text: str) -> None:
    with pytest.raises(UnreadableMeshError):
        Mesh.parse(text)


@given(st.integers(1, 2000))
def test_the_default_mesh_has_an_axis_for_every_prime_factor(devices: int) -> None:
    mesh = Mesh.of_devices(devices)
    mesh.verify()
    assert mesh.devices == prod(mesh.sizes) == devices
    assert all(
        size > 1 and all(size % divisor for divisor in range(2, size)) for size in mesh.sizes
    )
    assert list(mesh.sizes) == sorted(mesh.sizes, reverse=True)


def test_axes_are_called_by_letters() -> None:
    assert str(Mesh.of_devices(12)) == "a:3 x b:2 x c:2"
    assert Mesh.of_devices(2**28).names[24:] == ("y", "z", "aa", "ab")
    assert Mesh.of_devices(1).axes == ()


def test_the_size_of_some_axes_is_their_product() -> None:
    mesh = Mesh.parse("a:3 x b:2 x c:5")
    assert (mesh.size(), mesh.size("b"), mesh.size("c", "a")) == (1, 2, 15)


@pytest.mark.parametrize(
    ("mesh", "fact"),
    [
        (Mesh((("a", 2), ("a", 2))), "two axes share a name"),
        (Mesh((("a", 0),)), "an axis has no device"),
    ],
)
def test_a_contradiction_is_found(mesh: Mesh, fact: str) -> None:
    with pytest.raises(InconsistentError) as found:
        mesh.verify()
    assert found.value.what == f"the Mesh contradicts itself: {fact}"
