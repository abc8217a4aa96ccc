"""Array shapes as HLO writes them: `f32[8,32,64]`, `pred[]`, `(f32[8], s32[])`.

dims("f32[8,32]") == (8, 32)        size_bytes("bf16[8,32]") == 512
"""

import re
from math import prod

_ARRAY = re.compile(r"([a-z]\w*)\[([\d,]*)\]")
_DIGITS = re.compile(r"\d+")


def dims(shape: str) -> tuple[int, ...]:
    """The dimensions of an array; of a tuple, those of its first array."""
    found = _ARRAY.search(shape)
    return _dims(found[2]) if found else ()


def size_bytes(shape: str) -> int:
    """The bytes of an array, or of all arrays of a tuple."""
    return sum(-(-bits(dtype) * prod(_dims(sizes)) // 8) for dtype, sizes in _ARRAY.findall(shape))


def bits(dtype: str) -> int:
    """The width of one element: 32 for f32, 8 for f8e4m3fn, 8 for pred, 0 for a token."""
    if dtype == "pred":
        return 8
    found = _DIGITS.search(dtype)
    return int(found[0]) if found else 0


def _dims(sizes: str) -> tuple[int, ...]:
    return tuple(int(size) for size in sizes.split(",") if size)
