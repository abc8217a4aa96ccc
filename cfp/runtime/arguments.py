"""The arguments of a call: compared with those of the step, and moved to their places.

    step(state, batch)       flat, in the order of the HLO's parameters
      state.params['w']      whole on one device: copied to its cuts; there already: taken as it is
      batch['x']             a numpy array: each device gets its part

The program may overwrite a donated array. Where one has to be moved first, it overwrites the copy,
and what the caller holds stays good.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax.sharding import NamedSharding
from jax.tree_util import keystr

from cfp import errors
from cfp.ir.array_text import array_text
from cfp.ir.step import ArrayInfo, TracedStep


def placed(
    step: TracedStep,
    shardings: Sequence[NamedSharding],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> list[jax.Array]:
    """The arrays of a call of the step, each in its sharding."""
    given = (tuple(args), dict(kwargs))
    leaves, tree = jax.tree.flatten(given)
    if tree != step.in_tree:
        raise _other_tree(step, given)
    return [_placed(step.name, *one) for one in zip(step.arguments, shardings, leaves, strict=True)]


def _placed(step: str, info: ArrayInfo, sharding: NamedSharding, leaf: Any) -> jax.Array:
    if isinstance(leaf, jax.Array) and leaf.is_deleted():
        raise errors.DonatedArgumentError(step, info.name)
    if (found := description(leaf)) != array_text(info):
        raise errors.OtherArgumentError(step, info.name, found, array_text(info))
    if isinstance(leaf, jax.Array) and leaf.sharding.is_equivalent_to(sharding, leaf.ndim):
        return leaf
    if info.donated and isinstance(leaf, jax.Array):
        leaf = leaf.copy()  # what is moved can share memory with what it was moved from
    return jax.device_put(leaf, sharding)


def description(leaf: Any) -> str:
    """`float32[8,64]`, as `array_text` writes it; `of type str` of what is no array."""
    try:
        aval = jax.typeof(leaf)
    except TypeError:
        return f"of type {type(leaf).__name__}"
    return array_text(ArrayInfo("", tuple(aval.shape), str(aval.dtype)))


def _other_tree(step: TracedStep, given: Any) -> errors.OtherArgumentError:
    """Names the first array that is missing, else one too many, else the whole."""
    numbers: Any = jax.tree.unflatten(step.in_tree, range(len(step.arguments)))
    taken = {keystr(path): step.arguments[number] for path, number in _leaves(numbers)}
    found = {keystr(path): leaf for path, leaf in _leaves(given)}
    for place in [*taken, *found]:
        if place not in found:
            return errors.OtherArgumentError(
                step.name, taken[place].name, "missing", array_text(taken[place])
            )
        if place not in taken:
            return errors.OtherArgumentError(
                step.name, f"{place} of (args, kwargs)", description(found[place]), "none"
            )
    return errors.OtherArgumentError(
        step.name, "(args, kwargs)", str(jax.tree.structure(given)), str(step.in_tree)
    )


def _leaves(tree: Any) -> list[tuple[Any, Any]]:
    return jax.tree.leaves_with_path(tree)
