"""Where parts begin and end in a jaxpr: which values are carried in parts, and in which form.

    a = dot_general x w      its result is pinned in 3 parts: they begin     offered a
    b = add a bias                                                           offered a b
    c d e = split b          they end                                        wanted a b
    g = dot_general x' b'    another result pinned in 3 parts                offered g
    h = mul g 0.9            nothing that follows takes parts

Carried is what is offered and wanted. The rest is folded as soon as it is read: updates of fused
parameters stay as they are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jax.extend.core import Jaxpr, JaxprEqn, Var

from cfp.runtime.unfolded.form import Form
from cfp.runtime.unfolded.rule import Rule, Spot, Tie, arrays_of, has_parts, shape_of
from cfp.runtime.unfolded.rules import RULES

Numbered = tuple[int, JaxprEqn]
Pinned = Sequence[Mapping[int, Form]]  # of each equation, by an array's number
Parts = Mapping[Var, set[tuple[int, int]]]  # dimensions with the number of their parts


def carried_forms(jaxpr: Jaxpr, pinned: Pinned) -> dict[Var, Form]:
    """The forms of all values that are carried in parts."""
    if not any(form for forms in pinned for form in forms.values()):
        return {}
    forward = list(enumerate(jaxpr.eqns))
    offered = _reached(forward, pinned, lambda eqn, array: array >= len(eqn.invars))
    wanted = _reached(reversed(forward), pinned, lambda eqn, array: array < len(eqn.invars))
    both = {var: offered[var] & wanted[var] for var in offered if var in wanted}
    return {var: tuple(sorted(dict(sorted(parts)).items())) for var, parts in both.items() if parts}


def forms_within(
    eqn: JaxprEqn, pinned: Mapping[int, Form], carried: Mapping[Var, Form]
) -> list[Form]:
    """The form in which an equation takes and makes each array; of no rule, all as they are."""
    arrays = arrays_of(eqn)
    whole: list[Form] = [()] * len(arrays)
    rule = RULES.get(eqn.primitive.name)
    found = dict(_asked(eqn, rule, pinned, carried)) if rule else {}
    if rule is None or not found:
        return whole
    for tie in rule.ties(eqn):
        counts = {found[spot] for spot in tie if spot in found}
        if len(counts) == 1 and _holds(arrays, tie, count := counts.pop()):
            found |= {spot: _count_at(arrays, spot, count) for spot in tie}
        elif any(spot not in set(rule.borders(eqn, found[spot])) for spot in tie if spot in found):
            return whole
    return [
        tuple(sorted((dim, count) for (array, dim), count in found.items() if array == number))
        for number in range(len(arrays))
    ]


def _asked(
    eqn: JaxprEqn, rule: Rule, pinned: Mapping[int, Form], carried: Mapping[Var, Form]
) -> Iterator[tuple[Spot, int]]:
    """What is pinned, results that are carried, and operands whose parts end here."""
    for number, atom in enumerate(arrays_of(eqn)):
        for dim, count in pinned.get(number, ()):
            yield Spot(number, dim), count
        for dim, count in carried.get(atom, ()) if isinstance(atom, Var) else ():
            spot = Spot(number, dim)
            if number >= len(eqn.invars) or spot in rule.borders(eqn, count):
                yield spot, count


def _reached(
    eqns: Iterable[Numbered], pinned: Pinned, is_beyond: Callable[[JaxprEqn, int], bool]
) -> Parts:
    """The parts that begin in these equations, taken in this order, and are handed on by ties."""
    counts = {count for forms in pinned for form in forms.values() for _, count in form}
    parts: defaultdict[Var, set[tuple[int, int]]] = defaultdict(set)
    for number, eqn in eqns:
        arrays = arrays_of(eqn)
        begun = [
            *((array, one) for array, form in pinned[number].items() for one in form),
            *((spot.array, (spot.dim, count)) for count in counts for spot in _borders(eqn, count)),
            *_handed_on(eqn, arrays, parts),
        ]
        for array, one in begun:
            if is_beyond(eqn, array) and isinstance(arrays[array], Var):
                parts[arrays[array]].add(one)
    return parts


def _borders(eqn: JaxprEqn, count: int) -> Iterable[Spot]:
    rule = RULES.get(eqn.primitive.name)
    return rule.borders(eqn, count) if rule else ()


def _handed_on(
    eqn: JaxprEqn, arrays: list[Any], parts: Parts
) -> Iterator[tuple[int, tuple[int, int]]]:
    """All that any array of a tie has, for every array of it."""
    rule = RULES.get(eqn.primitive.name)
    for tie in rule.ties(eqn) if rule else ():
        known = {
            count
            for spot in tie
            if isinstance(arrays[spot.array], Var)
            for dim, count in parts.get(arrays[spot.array], ())
            if dim == spot.dim
        }
        for count in known:
            if _holds(arrays, tie, count):
                for spot in tie:
                    if _count_at(arrays, spot, count) == count:
                        yield spot.array, (spot.dim, count)


def _holds(arrays: list[Any], tie: Tie, count: int) -> bool:
    """Whether every dimension, but those of size 1 that are spread, has so many parts."""
    sizes = [shape_of(arrays[spot.array])[spot.dim] for spot in tie]
    return all(size == 1 or has_parts(size, count) for size in sizes)


def _count_at(arrays: list[Any], spot: Spot, count: int) -> int:
    return 1 if shape_of(arrays[spot.array])[spot.dim] == 1 else count
