"""The arrays that a step starts from, computed where they will lie: never whole on one device.

    init(key) -> state     the step takes (state, batch): the result is its first argument, so each
                           device computes the part of state that it is going to hold

The function is the user's own under `jax.jit`: its values do not depend on the devices.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from jax.sharding import NamedSharding, PartitionSpec

from cfp import errors
from cfp.ir.array_text import array_text
from cfp.ir.step import TracedStep
from cfp.runtime.arguments import description


def initial_state(
    step: TracedStep, shardings: Sequence[NamedSharding], init: Callable[..., Any], args: Any
) -> Any:
    """`init(*args)`, in the shardings of the argument of the step that it makes."""
    leaves, tree = jax.tree.flatten(jax.eval_shape(init, *args))
    start = _first_alike(step, [description(leaf) for leaf in leaves], tree)
    own = jax.tree.unflatten(tree, shardings[start : start + len(leaves)])
    whole = NamedSharding(shardings[start].mesh, PartitionSpec())
    return jax.jit(init, out_shardings=own)(*jax.device_put(args, whole))


def _first_alike(step: TracedStep, made: list[str], tree: Any) -> int:
    """The number of the first array of the argument that is such a tree of such arrays."""
    taken = [array_text(info) for info in step.arguments]
    for start, argument in _arguments(step.in_tree):
        if argument == tree and taken[start : start + len(made)] == made:
            return start
    raise errors.UnmatchedStateError(step.name, _difference(step, made, tree))


def _difference(step: TracedStep, made: list[str], tree: Any) -> str:
    """How what was made differs from the first argument with as many arrays."""
    counts: list[str] = []
    for start, argument in _arguments(step.in_tree):
        counts.append(str(argument.num_leaves))
        if argument.num_leaves != len(made):
            continue
        for found, info in zip(made, step.arguments[start:], strict=False):
            if found != array_text(info):
                return f"it has {found} for {array_text(info)} {info.name}"
        return f"it is the tree {tree}, and the argument is {argument}"
    return f"it has {len(made)} arrays, and the arguments have {', '.join(counts)}"


def _arguments(in_tree: Any) -> Iterator[tuple[int, Any]]:
    """Every argument's tree, and the number of its first array."""
    start = 0
    for group in in_tree.children():  # args, kwargs
        for argument in group.children():
            yield start, argument
            start += argument.num_leaves
