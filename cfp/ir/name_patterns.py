"""Names of many arrays in few words: numbers that make no difference become a star.

    layer_0.w1, layer_1.w1  cut at dim 1        layer_*.w1  cut at dim 1
    layer_0.w2, layer_1.w2  cut at dim 0        layer_*.w2  cut at dim 0

The layer's number makes no difference, the one of `w1` and `w2` does and is kept. Names that end in
the same keys are told together:

    ['first'], ['second'] of state.params, state.optimizer[0].mu
"""

import re
from collections.abc import Hashable, Iterable, Mapping
from itertools import groupby

_NUMBER = re.compile(r"(\d+)")
_KEYS = re.compile(r"(?:\['[^']*'\])+$")
_STAR = "*"

Pieces = tuple[str, ...]  # texts and numbers in turn: "w", "1", ""


def star_numbers(group_of: Mapping[str, Hashable]) -> dict[str, str]:
    """For each name its pattern: names of one pattern are of one group, and of no other."""
    patterns: dict[str, str] = {}
    names = sorted(group_of, key=_template)
    for _, alike in groupby(names, _template):
        patterns |= _star_alike({tuple(_NUMBER.split(name)): group_of[name] for name in alike})
    return {name: patterns[name] for name in group_of}


def _template(name: str) -> Pieces:
    return tuple(_NUMBER.split(name)[::2])


def _star_alike(group_of: Mapping[Pieces, Hashable]) -> dict[str, str]:
    """Of names that differ in numbers alone: stars the leftmost numbers that decide no group."""
    starred: dict[Pieces, Pieces] = {pieces: pieces for pieces in group_of}
    places = range(1, len(next(iter(group_of))), 2)
    for place in places:
        tried = {
            pieces: (*now[:place], _STAR, *now[place + 1 :]) for pieces, now in starred.items()
        }
        makes_a_choice = len({pieces[place] for pieces in group_of}) > 1
        if makes_a_choice and _decides(tried, group_of):
            starred = tried
    return {"".join(pieces): "".join(pattern) for pieces, pattern in starred.items()}


def _decides(pattern_of: Mapping[Pieces, Pieces], group_of: Mapping[Pieces, Hashable]) -> bool:
    """Whether names of one pattern are all of one group."""
    found: dict[Pieces, Hashable] = {}
    return all(
        found.setdefault(pattern, group_of[pieces]) == group_of[pieces]
        for pieces, pattern in pattern_of.items()
    )


def tell_together(names: Iterable[str]) -> list[str]:
    """The names, those that end in the same keys as one text, then the others."""
    heads: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        keys = _KEYS.search(name)
        heads.setdefault(keys[0] if keys else "", []).append(name[: keys.start()] if keys else name)
    whole = heads.pop("", [])
    tails: dict[tuple[str, ...], list[str]] = {}
    for tail, its_heads in heads.items():
        tails.setdefault(tuple(its_heads), []).append(tail)
    ended = [text for its_heads, ends in tails.items() for text in _texts(its_heads, ends)]
    return [*ended, *whole]


def _texts(heads: tuple[str, ...], tails: list[str]) -> list[str]:
    if len(heads) == 1:
        return [heads[0] + tail for tail in tails]
    return [f"{', '.join(tails)} of {', '.join(heads)}"]
