"""A rule: what a primitive does to dimensions that are made of major parts.

    equation                        ties                             borders, for 3 parts
    add [8,192] [1,192]             dimension by dimension
    split [8,192] -> 3 x [8,64]     the first, in all four arrays    the second, of the operand
    concatenate 3 x [8,64]          the first, in all four arrays    the second, of the result

Tied dimensions have the same parts. At a border parts begin or end: beyond it each is a value or a
dimension by itself. Arrays are numbered operands first, then results.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jax.extend.core import JaxprEqn

from cfp.runtime.unfolded.form import Form


class Spot(NamedTuple):
    """A dimension of one of the arrays of an equation."""

    array: int
    dim: int


Tie = tuple[Spot, ...]
Arrays = Sequence[Any]


@dataclass(frozen=True)
class Rule:
    """How equations of one primitive go with parts.

    compute makes the unfolded results of unfolded operands, given the forms of all arrays.
    """

    ties: Callable[[JaxprEqn], Iterator[Tie]]
    borders: Callable[[JaxprEqn, int], Iterator[Spot]]
    compute: Callable[[JaxprEqn, Sequence[Form], Arrays], Arrays]


def no_borders(eqn: JaxprEqn, count: int) -> Iterator[Spot]:
    """The borders of an equation that neither takes apart nor puts together."""
    del eqn, count
    yield from ()


def arrays_of(eqn: JaxprEqn) -> list[Any]:
    """Operands, then results."""
    return [*eqn.invars, *eqn.outvars]


def shape_of(atom: Any) -> tuple[int, ...]:
    """The shape of an operand or a result."""
    return tuple(atom.aval.shape)


def has_parts(size: int, count: int) -> bool:
    """Whether a dimension is made of so many parts of more than one element."""
    return size > count and size % count == 0
