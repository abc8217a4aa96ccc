"""Flax nnx objects in and out of a step: a step takes arrays, the user's objects are kept current.

    opened                        Opened(net): the arrays of `net`, named net.wide.kernel, …
    inside, while it is traced    a copy of `net` around those arrays, which the step changes
    after the call                the new arrays, written into the user's own `net`

An object that two arguments share is opened once, with the first. nnx's own update context does
the bookkeeping, so that counters, new attributes and shared parts come back too. flax is looked up
among the imported modules: whoever has an nnx object has imported it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import jax

_TAG = "cfp"


def is_object(one: object) -> bool:
    """Whether nnx keeps the state of this: a module, an optimizer, a variable, random streams."""
    nnx = _nnx()
    return nnx is not None and isinstance(one, (nnx.Pytree, nnx.Variable))


def is_state(one: object) -> bool:
    """Whether it is what `nnx.split` made: arrays already, passed around by the user's own hand."""
    nnx = _nnx()
    return nnx is not None and isinstance(one, nnx.State)


class ArrayName(str):
    """The key of an array in an opened object: a path in text, `.layers[0].kernel`."""

    __slots__ = ()


class Opened:
    """The arrays of an object; the recipe rebuilds the object around them."""

    __slots__ = ("arrays", "recipe")

    def __init__(self, recipe: tuple[Any, Any], arrays: tuple[Any, ...]) -> None:
        self.recipe = recipe
        self.arrays = arrays


@contextmanager
def exchange() -> Generator[None]:
    """Around one call: objects that are opened in it are updated when its results are closed."""
    nnx = _nnx()
    if nnx is None:
        yield
        return
    with nnx.update_context(_TAG):
        yield


@contextmanager
def opening() -> Generator[Callable[[Any], Opened]]:
    """Opens objects one after the other; what they share, once."""
    nnx = _nnx()
    if nnx is None:
        yield _opened_by(None)
        return
    with nnx.split_context(_TAG) as context:
        yield _opened_by(context)


@contextmanager
def closing(*, inside: bool) -> Generator[Callable[[Opened], Any]]:
    """Closes objects in the order in which they were opened.

    Inside the step they are copies, after it the user's own.
    """
    nnx = _nnx()
    if nnx is None:
        yield _closed_by(None)
        return
    with nnx.merge_context(_TAG, inside) as context:
        yield _closed_by(context)


def _opened_by(context: Any) -> Callable[[Any], Opened]:
    def opened(one: Any) -> Opened:
        graphdef, state = context.split(one)
        arrays, treedef = jax.tree.flatten(state)
        return Opened((graphdef, treedef), tuple(arrays))

    return opened


def _closed_by(context: Any) -> Callable[[Opened], Any]:
    def closed(one: Opened) -> Any:
        graphdef, treedef = one.recipe
        return context.merge(graphdef, jax.tree.unflatten(treedef, one.arrays))

    return closed


def _nnx() -> Any:
    return sys.modules.get("flax.nnx")


def _array_names(opened: Opened) -> Iterator[ArrayName]:
    """One for each array; a variable holds its array as `value`, which need not be said."""
    _, treedef = opened.recipe
    tree = jax.tree.unflatten(treedef, opened.arrays)
    for path, _ in jax.tree.leaves_with_path(tree):
        keys = path[:-1] if isinstance(path[-1], jax.tree_util.GetAttrKey) else path
        yield ArrayName("".join(_key_text(getattr(key, "key", key)) for key in keys))


def _key_text(key: object) -> str:
    return f"[{key}]" if isinstance(key, int) else f".{key}"


jax.tree_util.register_pytree_with_keys(
    Opened,
    lambda one: (list(zip(_array_names(one), one.arrays, strict=True)), one.recipe),
    lambda recipe, arrays: Opened(recipe, tuple(arrays)),
    lambda one: (one.arrays, one.recipe),
)
