"""What is part of the program and no array, as a pytree without leaves: its value is in the tree.

    jax.tree.structure((x, Static("fast")))    one leaf, and another tree than with Static("slow")

So the tree alone tells how the arrays are arranged and what else the step is traced for.
"""

# pyright: reportUnknownMemberType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from typing import Any

import jax


class Static:
    """A value, equal to its equals of the same type; where it has no hash, to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return NotImplemented
        if self.value is other.value:
            return True
        alike = type(self.value) is type(other.value)  # 1, 1.0 and True are equal
        return alike and has_hash(self.value) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value) if has_hash(self.value) else id(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


class Owner(Static):
    """The object whose method is called: equal to itself alone, however it compares."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Owner) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def has_hash(value: object) -> bool:
    """Whether a value can be told from others by `==` and a hash."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


for _kind in (Static, Owner):
    jax.tree_util.register_pytree_node(_kind, lambda static: ((), static), lambda static, _: static)
