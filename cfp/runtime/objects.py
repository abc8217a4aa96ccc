"""The user's objects as trees of arrays, and back: what a step is traced with and called with.

    model (equinox)      the same module, Static(gelu) where its activation function stood
    net (flax nnx)       Opened(net); after the call `net` itself holds the new arrays
    a function           Static(function), wherever it stands
    arrays, dicts, …     themselves

    with opened((model, batch), {}) as call:
        finished = jax.jit(on_arrays(step, "step"))(*call.args, **call.kwargs)
        results = closed(finished)

Neither flax nor equinox is imported here: whoever has such an object has imported its library.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import functools
import inspect
import sys
from collections.abc import Callable, Generator, Hashable, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax

from cfp.runtime import nnx_objects
from cfp.runtime.finished import Finished
from cfp.runtime.static import Static

Step = Callable[..., Any]


class Call(NamedTuple):
    """The arguments of a call, as trees of arrays."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def kind(self) -> Hashable:
        """What a program is for: the tree of its arguments, and the kind of each array."""
        leaves, tree = jax.tree.flatten(self)
        return tree, tuple(map(_kind, leaves))

    @property
    def shapes(self) -> "Call":
        """The same call without its arrays: where they lie now is nothing to trace by."""
        return jax.tree.map(_shape, self)


@contextmanager
def opened(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Generator[Call]:
    """The arguments as trees of arrays; in this context the results are closed."""
    with nnx_objects.exchange():
        with nnx_objects.opening() as open_object:
            call = _open(Call(args, dict(kwargs)), open_object)
        yield call


def closed(finished: Finished) -> Any:
    """The step's results, after the objects among its arguments have taken their new arrays."""
    with nnx_objects.closing(inside=False) as close_object:
        return _close(finished, close_object).results


def on_arrays(step: Step, name: str) -> Step:
    """`step` from trees of arrays to trees of arrays, with its own signature."""

    @functools.wraps(step, updated=())
    def stepping(*args: Any, **kwargs: Any) -> Finished:
        with nnx_objects.closing(inside=True) as close_object:
            args, kwargs = _close((args, kwargs), close_object)
        results = step(*args, **kwargs)
        with nnx_objects.opening() as open_object:
            return _open(Finished(_objects(step, args, kwargs), results), open_object)

    stepping.__name__ = name
    return stepping


def is_tree(one: object) -> bool:
    """Whether it holds arrays that JAX or its library can reach, and so can be an argument."""
    return nnx_objects.is_object(one) or not jax.tree_util.all_leaves([one])


def _open(tree: Any, open_object: Callable[[Any], nnx_objects.Opened]) -> Any:
    def opened_leaf(leaf: Any) -> Any:
        if nnx_objects.is_object(leaf):
            return open_object(leaf)
        if _is_equinox_module(leaf):
            return jax.tree.map(_array_or_static, leaf)
        return Static(leaf) if callable(leaf) else leaf

    return jax.tree.map(opened_leaf, tree, is_leaf=_is_whole)


def _close(tree: Any, close_object: Callable[[nnx_objects.Opened], Any]) -> Any:
    def closed_leaf(leaf: Any) -> Any:
        if isinstance(leaf, nnx_objects.Opened):
            return close_object(leaf)
        return leaf.value if isinstance(leaf, Static) else leaf

    kinds = (Static, nnx_objects.Opened)
    return jax.tree.map(closed_leaf, tree, is_leaf=lambda one: isinstance(one, kinds))


def _objects(step: Step, args: Any, kwargs: Any) -> dict[str, Any]:
    """The nnx objects among the arguments, by the names of the parameters that took them."""

    def object_or_none(leaf: Any) -> Any:
        return leaf if nnx_objects.is_object(leaf) else None

    taken = inspect.signature(step).bind(*args, **kwargs).arguments
    objects = {
        name: jax.tree.map(object_or_none, value, is_leaf=_is_whole)
        for name, value in taken.items()
    }
    return {name: tree for name, tree in objects.items() if jax.tree.leaves(tree)}


def _is_whole(one: object) -> bool:
    """Whether it is opened, or left alone, as one."""
    return nnx_objects.is_object(one) or nnx_objects.is_state(one) or _is_equinox_module(one)


def _is_equinox_module(one: object) -> bool:
    equinox: Any = sys.modules.get("equinox")
    return equinox is not None and isinstance(one, equinox.Module)


def _array_or_static(leaf: Any) -> Any:
    """Of an equinox module all but arrays is part of the program, numbers too."""
    return leaf if hasattr(leaf, "shape") and hasattr(leaf, "dtype") else Static(leaf)


def _kind(leaf: Any) -> Hashable:
    array = _array_type(leaf)
    return (array.shape, array.dtype, array.weak_type) if array else type(leaf)


def _shape(leaf: Any) -> Any:
    array = _array_type(leaf)
    if array is None:
        return leaf
    return jax.ShapeDtypeStruct(array.shape, array.dtype, weak_type=array.weak_type)


def _array_type(leaf: Any) -> Any:
    """JAX's type of an array or a number; None of all else, which tracing refuses by name."""
    try:
        return jax.typeof(leaf)
    except TypeError:
        return None
