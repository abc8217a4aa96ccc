"""Bidirectional linear attention trained to undo noise, in plain JAX.

Keys meet values before queries see them, so there is a [head_dim, head_dim] summary per head and
no [seq, seq] scores: the sequence is contracted, then comes back as a free dimension.

    summary = elu1(k)^T v        y = elu1(q) summary / (elu1(q) . sum elu1(k))
"""

import jax
import jax.numpy as jnp

from cfp_test.training import Outcome, Recipe, batch_factory, state_factory, step_factory
from cfp_test.zoo.weights import random_weights


def recipe(
    *,
    num_layer: int = 2,
    batch_size: int = 8,
    seq_len: int = 32,
    hidden: int = 64,
    heads: int = 4,
    accumulation: int = 1,
) -> Recipe:
    """Vectors [batch, seq, hidden] in, cleaned vectors out, squared error."""
    shapes = dict.fromkeys(("query", "key", "value", "output"), (hidden, hidden))

    def sample(key):
        clean_key, noise_key = jax.random.split(key)
        clean = jax.random.normal(clean_key, (batch_size, seq_len, hidden))
        return {"noisy": clean + jax.random.normal(noise_key, clean.shape), "clean": clean}

    def init(key):
        keys = jax.random.split(key, num_layer)
        return [random_weights(each, shapes) for each in keys], {}

    def loss(params, statistics, batch, rng):
        x = batch["noisy"]
        for layer in params:
            x = x + _attend(layer, x, heads)
        errors = (x - batch["clean"]) ** 2
        return Outcome(errors.sum(), jnp.float32(errors.size), statistics)

    return Recipe(init, loss, sample, accumulation)


def _attend(weights: dict[str, jax.Array], x: jax.Array, heads: int) -> jax.Array:
    query, key, value = (
        (x @ weights[name]).reshape(*x.shape[:2], heads, -1) for name in ("query", "key", "value")
    )
    query, key = jax.nn.elu(query) + 1.0, jax.nn.elu(key) + 1.0
    summary = jnp.einsum("bshd,bshe->bhde", key, value)
    total = jnp.einsum("bshd,bhd->bsh", query, key.sum(axis=1))
    mixed = jnp.einsum("bshd,bhde->bshe", query, summary) / total[..., None]
    return mixed.reshape(x.shape) @ weights["output"]


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
