"""What a step leaves: its results, and its arguments where these are objects that it changed.

    Finished({"net": Opened(net)}, (loss, aux))    result.net.wide.kernel, …, result[0], result[1]

The results keep the names that they have without cfp: their key in the tree is an empty text. The
objects come first, so that an object that is also returned has the name of the argument.
"""

# pyright: reportUnknownMemberType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Iterable, Mapping
from typing import Any

import jax


class _Results(str):
    """The key of the results: no text."""

    __slots__ = ()


class Finished:
    """objects are those that the step was given, by parameter; results are what it returned."""

    __slots__ = ("objects", "results")

    def __init__(self, objects: Mapping[str, Any], results: Any) -> None:
        self.objects = dict(objects)
        self.results = results


def _flatten(one: Finished) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    return (*one.objects.values(), one.results), tuple(one.objects)


def _flatten_with_keys(one: Finished) -> tuple[list[tuple[Any, Any]], tuple[str, ...]]:
    children, names = _flatten(one)
    keys = [*map(jax.tree_util.GetAttrKey, names), _Results()]
    return list(zip(keys, children, strict=True)), names


def _unflatten(names: tuple[str, ...], children: Iterable[Any]) -> Finished:
    *objects, results = children
    return Finished(dict(zip(names, objects, strict=True)), results)


jax.tree_util.register_pytree_with_keys(Finished, _flatten_with_keys, _unflatten, _flatten)
