"""Shapes as HLO writes them."""

import pytest

from cfp.ir.shape import bits, dims, size_bytes


@pytest.mark.parametrize(
    ("shape", "sizes", "bytes_"),
    [
        ("f32[8,32]", (8, 32), 1024),
        ("bf16[8]", (8,), 16),
        ("pred[3]", (3,), 3),
        ("s4[3]", (3,), 2),
        ("f8e4m3fn[2,2]", (2, 2), 4),
        ("f32[]", (), 4),
        ("(f32[8], s32[])", (8,), 36),
        ("token[]", (), 0),
    ],
)
def test_an_array_has_dimensions_and_bytes(shape: str, sizes: tuple[int, ...], bytes_: int) -> None:
    assert (dims(shape), size_bytes(shape)) == (sizes, bytes_)


def test_a_complex_number_is_as_wide_as_its_name_says() -> None:
    assert (bits("c64"), bits("u8"), bits("pred")) == (64, 8, 8)
