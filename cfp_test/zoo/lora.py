"""LoRA: a frozen stack of matrices, each with a trained product of two thin ones beside it.

    x @ frozen + (x @ down) @ up * scale       down [hidden, rank], up [rank, hidden]

The frozen weights are part of the state but get no gradient and no moments: they are kept where a
batch norm keeps its statistics. Layers are scanned.
"""

import jax
import jax.numpy as jnp

from cfp_test.training import Outcome, Recipe, batch_factory, state_factory, step_factory
from cfp_test.zoo.weights import random_weights

SCALE = 2.0


def recipe(
    *,
    num_layer: int = 4,
    batch_size: int = 8,
    seq_len: int = 32,
    hidden: int = 64,
    rank: int = 4,
    accumulation: int = 1,
) -> Recipe:
    """Vectors [batch, seq, hidden] to random targets, squared error; only down and up train."""

    def sample(key):
        x_key, y_key = jax.random.split(key)
        shape = (batch_size, seq_len, hidden)
        return {"x": jax.random.normal(x_key, shape), "y": jax.random.normal(y_key, shape)}

    def init(key):
        frozen_key, down_key = jax.random.split(key)
        frozen = random_weights(frozen_key, {"frozen": (hidden, hidden)}, layers=num_layer)
        down = random_weights(down_key, {"down": (hidden, rank)}, layers=num_layer)
        return {**down, "up": jnp.zeros((num_layer, rank, hidden))}, frozen

    def loss(params, statistics, batch, rng):
        x, _ = jax.lax.scan(_run_layer, batch["x"], {**params, **statistics})
        errors = (x - batch["y"]) ** 2
        return Outcome(errors.sum(), jnp.float32(errors.size), statistics)

    return Recipe(init, loss, sample, accumulation)


def _run_layer(x: jax.Array, weights: dict[str, jax.Array]) -> tuple[jax.Array, None]:
    learned = (x @ weights["down"]) @ weights["up"] * SCALE
    return x + jnp.tanh(x @ weights["frozen"] + learned), None


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
