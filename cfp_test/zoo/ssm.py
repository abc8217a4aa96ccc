"""A selective state-space language model (diagonal, input-dependent), in plain JAX.

Per layer, channel i and state n, with step, write and read chosen by the input:

    h[t] = exp(step[t] * A) * h[t-1] + step[t] * write[t] * x[t]      elementwise in (i, n)
    y[t] = sum_n h[t] * read[t] + skip * x[t]                         contraction over n

The recurrence is a `lax.scan` over time, or with `associative` a `lax.associative_scan`.
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
    inner: int = 160,
    states: int = 16,
    vocab: int = 512,
    associative: bool = False,
    accumulation: int = 1,
) -> Recipe:
    """Next-token prediction with num_layer state-space layers around residuals."""
    shapes = {
        "input": (hidden, 2 * inner),
        "step": (inner, inner),
        "write": (inner, states),
        "read": (inner, states),
        "output": (inner, hidden),
    }

    def sample(key):
        return random_text(key, batch_size, seq_len, vocab)

    def init_layer(key):
        decay = jnp.log(jnp.broadcast_to(jnp.arange(1.0, states + 1.0), (inner, states)))
        return {**random_weights(key, shapes), "log_decay": decay, "skip": jnp.ones(inner)}

    def init(key):
        keys = jax.random.split(key, num_layer + 1)
        ends = random_weights(keys[0], {"embedding": (vocab, hidden), "head": (hidden, vocab)})
        return {**ends, "layers": [init_layer(each) for each in keys[1:]]}, {}

    def loss(params, statistics, batch, rng):
        recur = _recur_associatively if associative else _recur_in_time
        x = params["embedding"][batch["inputs"]]
        for layer in params["layers"]:
            x = x + _run_layer(layer, jax.nn.standardize(x), recur)
        total = token_cross_entropy(x @ params["head"], batch["targets"])
        return Outcome(total, jnp.float32(batch["targets"].size), statistics)

    return Recipe(init, loss, sample, accumulation)


def _run_layer(weights: dict[str, jax.Array], x: jax.Array, recur) -> jax.Array:
    x, gate = jnp.split(x @ weights["input"], 2, axis=-1)
    x = jax.nn.silu(x)
    step = jax.nn.softplus(x @ weights["step"] - 3.0)
    write, read = x @ weights["write"], x @ weights["read"]
    decay = jnp.exp(-step[..., None] * jnp.exp(weights["log_decay"]))
    written = (step * x)[..., None] * write[:, :, None, :]
    y = jnp.einsum("btin,btn->bti", recur(decay, written), read) + weights["skip"] * x
    return (y * jax.nn.silu(gate)) @ weights["output"]


def _recur_in_time(decay: jax.Array, written: jax.Array) -> jax.Array:
    """h[t] = decay[t] * h[t-1] + written[t] along axis 1, one time step after the other."""

    def advance(state, now):
        state = now[0] * state + now[1]
        return state, state

    by_time = jnp.swapaxes(decay, 0, 1), jnp.swapaxes(written, 0, 1)
    _, states = jax.lax.scan(advance, jnp.zeros_like(written[:, 0]), by_time)
    return jnp.swapaxes(states, 0, 1)


def _recur_associatively(decay: jax.Array, written: jax.Array) -> jax.Array:
    """The same in log2(seq) sweeps: two steps (a, b), (c, d) make one step (a * c, b * c + d)."""

    def compose(early, late):
        return early[0] * late[0], early[1] * late[0] + late[1]

    return jax.lax.associative_scan(compose, (decay, written), axis=1)[1]


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
