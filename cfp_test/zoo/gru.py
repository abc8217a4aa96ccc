"""A GRU language model: embedding, recurrent layers, head, in plain JAX.

The input's share of the gates is one contraction for all time steps (`wx`); the state's share
(`wh`) is inside a `lax.scan` over time, where its operand is the loop's carry. Gates are fused:
both matrices are [hidden, 3 * hidden], cut into reset, update and candidate.
"""

import jax
import jax.numpy as jnp

from cfp_test.training import (
    Outcome,
    Recipe,
    batch_factory,
    random_text,
    state_factory,
    step_factory,
    token_cross_entropy,
)
from cfp_test.zoo.weights import random_weights


def recipe(
    *,
    num_layer: int = 2,
    batch_size: int = 8,
    seq_len: int = 32,
    hidden: int = 64,
    vocab: int = 512,
    accumulation: int = 1,
) -> Recipe:
    """Next-token prediction with num_layer GRU layers, unrolled over layers, scanned over time."""

    def sample(key):
        return random_text(key, batch_size, seq_len, vocab)

    def init(key):
        keys = jax.random.split(key, num_layer + 1)
        ends = random_weights(keys[0], {"embedding": (vocab, hidden), "head": (hidden, vocab)})
        gates = {"wx": (hidden, 3 * hidden), "wh": (hidden, 3 * hidden)}
        return {**ends, "layers": [random_weights(each, gates) for each in keys[1:]]}, {}

    def loss(params, statistics, batch, rng):
        x = params["embedding"][batch["inputs"]]
        for layer in params["layers"]:
            x = _run_layer(layer, x)
        total = token_cross_entropy(x @ params["head"], batch["targets"])
        return Outcome(total, jnp.float32(batch["targets"].size), statistics)

    return Recipe(init, loss, sample, accumulation)


def _run_layer(weights: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """[batch, seq, hidden] -> the state after every time step."""
    from_inputs = jnp.swapaxes(x @ weights["wx"], 0, 1)

    def advance(state: jax.Array, from_input: jax.Array) -> tuple[jax.Array, jax.Array]:
        reset_x, update_x, candidate_x = jnp.split(from_input, 3, axis=-1)
        reset_h, update_h, candidate_h = jnp.split(state @ weights["wh"], 3, axis=-1)
        update = jax.nn.sigmoid(update_x + update_h)
        candidate = jnp.tanh(candidate_x + jax.nn.sigmoid(reset_x + reset_h) * candidate_h)
        state = update * state + (1.0 - update) * candidate
        return state, state

    _, states = jax.lax.scan(advance, jnp.zeros_like(x[:, 0]), from_inputs)
    return jnp.swapaxes(states, 0, 1)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
