"""Gradients of the mean loss: of the whole batch at once, or accumulated over micro-batches.

`accumulated_gradients` scans over k micro-batches of batch / k examples, adds up the gradients of
the *summed* loss, and divides once by the total weight, so it equals `whole_gradients` whatever
the number of targets in each micro-batch. Statistics flow from one micro-batch to the next.
"""

from typing import Any

import jax
import jax.numpy as jnp

from cfp_test.training.recipe import Outcome, Recipe

PyTree = Any


def whole_gradients(
    recipe: Recipe, params: PyTree, statistics: PyTree, batch: PyTree, rng: jax.Array | None
) -> tuple[PyTree, Outcome]:
    """Gradients of the mean loss over the whole batch, and the batch's outcome."""

    def mean_loss(params: PyTree) -> tuple[jax.Array, Outcome]:
        outcome = recipe.loss(params, statistics, batch, rng)
        return outcome.total / outcome.weight, outcome

    return jax.grad(mean_loss, has_aux=True)(params)


def accumulated_gradients(
    recipe: Recipe, params: PyTree, statistics: PyTree, batch: PyTree, rng: jax.Array | None
) -> tuple[PyTree, Outcome]:
    """The same, one micro-batch at a time: activations of only one of them are ever alive."""

    def summed_loss(
        params: PyTree, statistics: PyTree, batch: PyTree, rng: jax.Array | None
    ) -> tuple[jax.Array, Outcome]:
        outcome = recipe.loss(params, statistics, batch, rng)
        return outcome.total, outcome

    def add_micro_batch(carry: tuple[PyTree, PyTree], micro: PyTree):
        gradients, statistics = carry
        more, outcome = jax.grad(summed_loss, has_aux=True)(params, statistics, *micro)
        sums = outcome._replace(statistics={})
        return (jax.tree.map(jnp.add, gradients, more), outcome.statistics), sums

    micro_batches = _split_batch(batch, recipe.accumulation)
    keys = None if rng is None else jax.random.split(rng, recipe.accumulation)
    zeros = jax.tree.map(jnp.zeros_like, params)
    (gradients, statistics), sums = jax.lax.scan(
        add_micro_batch, (zeros, statistics), (micro_batches, keys)
    )
    outcome = jax.tree.map(lambda each: each.sum(axis=0), sums)
    mean = jax.tree.map(lambda gradient: gradient / outcome.weight, gradients)
    return mean, outcome._replace(statistics=statistics)


def _split_batch(batch: PyTree, count: int) -> PyTree:
    """[batch, ...] -> [count, batch / count, ...] for every array of the batch."""
    return jax.tree.map(lambda array: array.reshape(count, -1, *array.shape[1:]), batch)
