"""From a recipe function to the functions that every model package exposes.

The factories keep the recipe's signature (`inspect.signature(train_step)` shows its flags with
types and defaults), so a command line can turn `--num_layer 4` into `num_layer=4` by reading it:

    train_step = step_factory(recipe)
    step, args = train_step(config="tiny", num_layer=2)
    jax.jit(step).lower(*args)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import jax

from cfp_test.training.gradients import accumulated_gradients, whole_gradients
from cfp_test.training.recipe import Recipe
from cfp_test.training.train_state import TrainState, apply_gradients, start_training

Flags = ParamSpec("Flags")
PyTree = Any
Step = Callable[..., tuple[TrainState, dict[str, jax.Array]]]


def step_factory(
    recipe: Callable[Flags, Recipe],
) -> Callable[Flags, tuple[Step, tuple[PyTree, ...]]]:
    """train_step(**flags) -> (step, abstract_args) for the recipe with the same flags."""

    @wraps(recipe)
    def train_step(*args: Flags.args, **flags: Flags.kwargs) -> tuple[Step, tuple[PyTree, ...]]:
        chosen = recipe(*args, **flags)
        return _step(chosen), _abstract_args(chosen)

    return train_step


def state_factory(
    recipe: Callable[Flags, Recipe],
) -> Callable[Flags, Callable[[jax.Array], TrainState]]:
    """init_state(**flags) -> init, where init(key) makes the real first state of that step."""

    @wraps(recipe)
    def init_state(*args: Flags.args, **flags: Flags.kwargs) -> Callable[[jax.Array], TrainState]:
        return _init(recipe(*args, **flags))

    return init_state


def batch_factory(
    recipe: Callable[Flags, Recipe],
) -> Callable[Flags, Callable[[jax.Array], PyTree]]:
    """sample_batch(**flags) -> sample, where sample(key) makes a real, random batch."""

    @wraps(recipe)
    def sample_batch(*args: Flags.args, **flags: Flags.kwargs) -> Callable[[jax.Array], PyTree]:
        return recipe(*args, **flags).sample

    return sample_batch


def _step(recipe: Recipe) -> Step:
    gradients_of = accumulated_gradients if recipe.accumulation > 1 else whole_gradients

    def step(
        state: TrainState, batch: PyTree, rng: jax.Array | None = None
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        gradients, outcome = gradients_of(recipe, state.params, state.statistics, batch, rng)
        sums = {"loss": outcome.total, **outcome.metrics}
        metrics = {name: total / outcome.weight for name, total in sums.items()}
        return apply_gradients(state, gradients, outcome.statistics), metrics

    return step


def _init(recipe: Recipe) -> Callable[[jax.Array], TrainState]:
    return lambda key: start_training(*recipe.init(key))


def _abstract_args(recipe: Recipe) -> tuple[PyTree, ...]:
    key = jax.eval_shape(lambda: jax.random.key(0))
    batch = jax.eval_shape(recipe.sample, key)
    _check_accumulation(batch, recipe.accumulation)
    args = (jax.eval_shape(_init(recipe), key), batch)
    return (*args, key) if recipe.takes_rng else args


def _check_accumulation(batch: PyTree, accumulation: int) -> None:
    batch_size = jax.tree.leaves(batch)[0].shape[0]
    if accumulation < 1 or batch_size % accumulation:
        raise ValueError(
            f"accumulation={accumulation} does not cut batch_size={batch_size} into equal "
            "micro-batches; choose a divisor of the batch size."
        )
