"""A train step without any contraction: every feature is scaled, shifted and squashed by itself."""

import jax
import jax.numpy as jnp

from cfp_test.training import Outcome, Recipe, batch_factory, state_factory, step_factory


def recipe(*, batch_size: int = 8, features: int = 64, accumulation: int = 1) -> Recipe:
    """tanh(x * scale + shift) per feature, squared error."""

    def sample(key):
        x_key, y_key = jax.random.split(key)
        shape = (batch_size, features)
        return {"x": jax.random.normal(x_key, shape), "y": jax.random.normal(y_key, shape)}

    def init(key):
        return {"scale": jnp.ones(features), "shift": jnp.zeros(features)}, {}

    def loss(params, statistics, batch, rng):
        errors = (jnp.tanh(batch["x"] * params["scale"] + params["shift"]) - batch["y"]) ** 2
        return Outcome(errors.sum(), jnp.float32(errors.size), statistics)

    return Recipe(init, loss, sample, accumulation)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
