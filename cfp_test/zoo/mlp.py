"""The smallest real train step: regression with two matrices and a ReLU between them."""

import jax
import jax.numpy as jnp

from cfp_test.training import Outcome, Recipe, batch_factory, state_factory, step_factory
from cfp_test.zoo.weights import random_weights


def recipe(
    *,
    batch_size: int = 8,
    width_in: int = 64,
    hidden: int = 128,
    width_out: int = 32,
    accumulation: int = 1,
) -> Recipe:
    """[batch, width_in] -> relu of hidden -> [batch, width_out], squared error."""
    shapes = {"first": (width_in, hidden), "second": (hidden, width_out)}

    def sample(key):
        x_key, y_key = jax.random.split(key)
        return {
            "x": jax.random.normal(x_key, (batch_size, width_in)),
            "y": jax.random.normal(y_key, (batch_size, width_out)),
        }

    def loss(params, statistics, batch, rng):
        predicted = jax.nn.relu(batch["x"] @ params["first"]) @ params["second"]
        errors = (predicted - batch["y"]) ** 2
        return Outcome(errors.sum(), jnp.float32(errors.size), statistics)

    return Recipe(lambda key: (random_weights(key, shapes), {}), loss, sample, accumulation)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
