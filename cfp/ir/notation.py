"""How a block is cut, in words: by the dimensions of its contractions, and as matrices.

Attention on mesh axes a and b, strategy 0 (the batch) on a, strategy 3 (the heads) on b:

    by_dimension((0, 3))    [batch->a, ., n0->b, .]
    as_matrices((0, 3))     SS = SR x RS @ {0,1}

*By dimension*, for each contraction that a strategy of the block starts at:

    text     = "whole" | ( pattern | some { "; " some } ) [ " (" side { ", " side } ")" ]
    some     = op { " " op } " " pattern         where contractions differ: those of one pattern
    pattern  = "[" dim { ", " dim } [ " | " cut { " " cut } ] "]"
    dim      = "." | cut { " " cut }             a dimension of the result; "." is whole
    cut      = factor "->" axis { "+" axis }     after the bar: factors that are summed over
    side     = axis " " variant                  which side is kept where a split forks

A factor is called `batch` if it comes from the first dimension of data, `inputs.1` if from another
one of the argument that ends in 'inputs', and else by its place: `n0` is the first free factor of
the second operand (b batch, m first, n second operand, k summed over). Where contractions differ,
those that nothing cuts are left out. Two choices never have one text: `read` is the inverse.

*As matrices*, each contraction is result = first operand x second operand, with a letter for the
factors of each kind that some strategy cuts, in the order b m n, b m k, b k n: S where the choice
cuts any of them, R where none. `@ {0,1}` names the mesh axes that cut b, m, n and k, in that order
and by number, `0+2` for two axes on one letter. What the contraction then communicates follows:

    SR = SS x SR @ {0,1} (allreduce @ 1)             rows on axis 0, the sum on axis 1
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cfp.ir.analysis import Analysis
    from cfp.ir.block import Strategy

_FACTOR = re.compile(r"%(\d+) ([bmnk]\d+)")
_LAST_KEY = re.compile(r"(\w+)\W*$")
_CUT = re.compile(r"([\w.]+)->([\w+]+)")
_PATTERN = re.compile(r"((?:%\d+ )*)\[([^\]]*)\]")
_LETTERS = "bmnk"


@dataclass(frozen=True, slots=True)
class Start:
    """A strategy at one contraction: the factor it cuts there, what it is called, and where.

    dim is the dimension of the result, -1 where the factor is summed over. collectives, as kind,
    value and reader, are those for the contraction's operands and of its result.
    """

    factor: str
    name: str
    dim: int
    collectives: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A contraction that strategies start at, with the start of each that does, by its number."""

    op: int
    rank: int
    starts: tuple[tuple[int, Start], ...]


@dataclass(frozen=True, slots=True)
class Notation:
    """One block on the axes of a mesh: made by `notation_of`."""

    axes: tuple[str, ...]
    roots: tuple[Root, ...]
    variants: tuple[str, ...]

    def by_dimension(self, choice: Sequence[int]) -> str:
        """What each axis cuts, dimension by dimension."""
        patterns = {root.op: _pattern(root, self._axes_of(choice)) for root in self.roots}
        sides = [
            f"{axis} {self.variants[strategy]}"
            for axis, strategy in zip(self.axes, choice, strict=True)
            if strategy >= 0 and self.variants[strategy]
        ]
        return _together(patterns) + (f" ({', '.join(sides)})" if sides else "")

    def as_matrices(self, choice: Sequence[int]) -> str:
        """The same in letters, where contractions differ each with its op."""
        numbers = {
            strategy: [str(axis) for axis, other in enumerate(choice) if other == strategy]
            for strategy in choice
            if strategy >= 0
        }
        return _together({root.op: _equation(root, numbers) for root in self.roots})

    def read(self, text: str) -> tuple[int, ...]:
        """The choice whose text by dimension this is; ValueError where there is none."""
        cut: dict[str, set[tuple[int, str]]] = {axis: set() for axis in self.axes}
        for ops, pattern in _PATTERN.findall(text):
            named = [int(op) for op in re.findall(r"\d+", ops)]
            for name, axes in _CUT.findall(pattern):
                for axis in axes.split("+"):
                    cut[axis].update((op, name) for op in named or [one.op for one in self.roots])
        return tuple(self._strategy(axis, cut[axis], text) for axis in self.axes)

    def _strategy(self, axis: str, cut: set[tuple[int, str]], text: str) -> int:
        """The strategy that cuts these factors, with the variant that the text names."""
        if not cut:
            return -1
        starts: dict[int, set[tuple[int, str]]] = {}
        for root in self.roots:
            for number, start in root.starts:
                starts.setdefault(number, set()).add((root.op, start.name))
        fitting = [
            number
            for number, variant in enumerate(self.variants)
            if starts.get(number) == cut
            and (not variant or re.search(rf"\b{axis} {re.escape(variant)}", text))
        ]
        if not fitting:
            raise ValueError(f"no strategy of this block is {text!r} on axis {axis}")
        return max(fitting, key=lambda number: len(self.variants[number]))

    def _axes_of(self, choice: Sequence[int]) -> dict[int, list[str]]:
        """The axes by strategy."""
        found: dict[int, list[str]] = {}
        for axis, strategy in zip(self.axes, choice, strict=True):
            found.setdefault(strategy, []).append(axis)
        return found


def notation_of(analysis: Analysis, block: int, axes: Sequence[str]) -> Notation:
    """The notation of a block, and of all that are alike, on these mesh axes."""
    strategies = analysis.strategies_of(block)
    names = _names(analysis, strategies)
    starts: dict[int, list[tuple[int, Start]]] = {}
    for number, one in enumerate(strategies):
        for op, start in _starts(one, names[number]):
            starts.setdefault(op, []).append((number, start))
    roots = tuple(
        Root(op, analysis.ops[op].shape.count(",") + 1, tuple(starts[op])) for op in sorted(starts)
    )
    return Notation(tuple(axes), roots, tuple(one.variant for one in strategies))


def strategy_words(analysis: Analysis, block: int) -> tuple[str, ...]:
    """Each strategy of a block in words: `activation batch`, `weight n0`."""
    strategies = analysis.strategies_of(block)
    names = _names(analysis, strategies)
    return tuple(_words(one, name) for one, name in zip(strategies, names, strict=True))


def _words(strategy: Strategy, name: str) -> str:
    factors = name or ", ".join(dict.fromkeys(factor for _, factor in _factors(strategy)))
    text = f"{strategy.origin} {factors}"
    return f"{text}, {strategy.variant}" if strategy.variant else text


# ---- names


def _names(analysis: Analysis, strategies: Sequence[Strategy]) -> list[str]:
    """By strategy what its factors are called, "" for their own letters.

    A name that is taken, as by the other factor of one dimension of data, is not given twice.
    """
    taken: dict[str, tuple[str, ...]] = {}
    names: list[str] = []
    for one in strategies:
        name = _data_name(analysis, one)
        names.append(name if name and taken.setdefault(name, one.factors) == one.factors else "")
    return names


def _data_name(analysis: Analysis, strategy: Strategy) -> str:
    """`batch` or `inputs.1` for a split of data; "" for others, experts' weights among them."""
    is_free = all(factor[0] in "mn" for _, factor in _factors(strategy))
    if strategy.origin != "activation" or not is_free or not strategy.sources:
        return ""
    argument, dim = strategy.sources[0]
    key = _LAST_KEY.search(analysis.arguments[argument]) if analysis.arguments else None
    if dim == 0:
        return "batch"
    return f"{key[1] if key else argument}.{dim}"


def _factors(strategy: Strategy) -> Iterator[tuple[int, str]]:
    """Yields the contractions that a strategy starts at, each with its factor: 12, "n0"."""
    for text in strategy.factors:
        if found := _FACTOR.match(text):
            yield int(found[1]), found[2]


def _starts(strategy: Strategy, name: str) -> Iterator[tuple[int, Start]]:
    dims = {cut.value: cut.dim for cut in strategy.members}
    for op, factor in _factors(strategy):
        collectives = tuple(
            (one.kind.replace("-", ""), one.value, one.reader)
            for one in strategy.collectives
            if op in (one.value, one.reader)
        )
        dim = -1 if factor[0] == "k" else dims.get(op, -1)
        yield op, Start(factor, name or factor, dim, collectives)


# ---- text


def _together(texts: Mapping[int, str]) -> str:
    """The text of all contractions if it is one, else each with those that share it."""
    same: dict[str, list[str]] = {}
    for op, text in texts.items():
        same.setdefault(text, []).append(f"%{op}")
    if not any(map(_cuts_something, same)):
        return "whole"
    if len(same) == 1:
        return next(iter(same))
    parts = [f"{' '.join(ops)} {text}" for text, ops in same.items() if _cuts_something(text)]
    return "; ".join(parts)


def _cuts_something(text: str) -> bool:
    return "->" in text or "S" in text


def _pattern(root: Root, axes_of: Mapping[int, Sequence[str]]) -> str:
    dims: list[list[str]] = [[] for _ in range(root.rank)]
    summed: list[str] = []
    for strategy, start in root.starts:
        if strategy in axes_of:
            place = summed if start.dim < 0 else dims[start.dim]
            place.append(f"{start.name}->{'+'.join(axes_of[strategy])}")
    result = ", ".join(" ".join(cuts) or "." for cuts in dims)
    return f"[{result} | {' '.join(summed)}]" if summed else f"[{result}]"


def _equation(root: Root, numbers: Mapping[int, Sequence[str]]) -> str:
    """`SR = SS x SR @ {0,1} (allreduce @ 1)`."""
    axes: dict[str, list[str]] = {}
    for strategy, start in root.starts:
        on_letter = axes.setdefault(start.factor[0], [])
        on_letter += [axis for axis in numbers.get(strategy, ()) if axis not in on_letter]
    letters = {letter: "S" if axes.get(letter) else "R" for letter in "mnk"}
    letters["b"] = ("S" if axes["b"] else "R") if "b" in axes else ""
    result, first, second = (
        "".join(letters[letter] for letter in matrix) for matrix in ("bmn", "bmk", "bkn")
    )
    used = ",".join("+".join(sorted(axes[one])) for one in _LETTERS if axes.get(one))
    return f"{result} = {first} x {second} @ {{{used}}}" + _communication(root, numbers)


def _communication(root: Root, numbers: Mapping[int, Sequence[str]]) -> str:
    """` (allreduce @ 0+1)`: each collective with all axes that take part, equal texts once."""
    axes: dict[tuple[str, int, int], list[str]] = {}
    for strategy, start in root.starts:
        for one in start.collectives if strategy in numbers else ():
            axes.setdefault(one, []).extend(numbers[strategy])
    texts = dict.fromkeys(f"{kind} @ {'+'.join(sorted(on))}" for (kind, _, _), on in axes.items())
    return f" ({', '.join(texts)})" if texts else ""
