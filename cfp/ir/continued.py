"""Which result of a step is the next value of which argument, told by their names.

    state.params['wte']            result[0].params['wte']           continues it: same last keys
    state.optimizer[0].mu['wte']   result[0].optimizer[0].mu['wte']  continues that: more in common
    w                              result[0]                         an array by itself: same place

Shape and dtype must be equal, and an argument has one next value: the longest name in common wins.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cfp.ir.step import ArrayInfo

_KEY = re.compile(r"\.\w+|\[[^\]]*\]")


def continued(
    arguments: Sequence[ArrayInfo], results: Sequence[ArrayInfo]
) -> tuple[ArrayInfo, ...]:
    """The results, each with the number of the argument that it continues."""
    chosen: dict[int, int] = {}  # by result
    for _, result, argument in sorted(_pairs(arguments, results), key=lambda one: -one[0]):
        if result not in chosen and argument not in chosen.values():
            chosen[result] = argument
    return tuple(
        replace(one, continues=chosen.get(number, -1)) for number, one in enumerate(results)
    )


def _pairs(
    arguments: Sequence[ArrayInfo], results: Sequence[ArrayInfo]
) -> Iterator[tuple[int, int, int]]:
    """Keys in common, result, argument; the pairs that may be."""
    by_end: dict[tuple[object, ...], list[tuple[int, list[str]]]] = {}
    for number, one in enumerate(arguments):
        keys = _KEY.findall(one.name)
        by_end.setdefault(_end(one, keys), []).append((number, keys))
    alone = [number for number, one in enumerate(arguments) if not _KEY.search(one.name)]
    for result, one in enumerate(results):
        keys = _KEY.findall(one.name)
        for argument, other in by_end.get(_end(one, keys), []):
            if keys:
                yield _in_common(keys, other), result, argument
        place = int(keys[0][1:-1]) if len(keys) == 1 and keys[0][1:-1].isdecimal() else 0
        if len(keys) <= 1 and place in alone and _same_array(arguments[place], one):
            yield 0, result, place


def _end(one: ArrayInfo, keys: list[str]) -> tuple[object, ...]:
    return one.shape, one.dtype, *keys[-1:]


def _same_array(a: ArrayInfo, b: ArrayInfo) -> bool:
    return (a.shape, a.dtype) == (b.shape, b.dtype)


def _in_common(a: list[str], b: list[str]) -> int:
    count = 0
    for left, right in zip(reversed(a), reversed(b), strict=False):
        if left != right:
            break
        count += 1
    return count
