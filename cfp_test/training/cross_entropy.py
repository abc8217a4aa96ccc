"""Softmax cross-entropy in two spellings that lower to different HLO.

`token_cross_entropy` looks the target's logit up (a gather); `one_hot_cross_entropy` multiplies
with a one-hot matrix, as older code bases do. Both give the *sum* over targets, in float32.
"""

import jax
import jax.numpy as jnp
import optax


def token_cross_entropy(logits: jax.Array, targets: jax.Array, weights: jax.Array | float = 1.0):
    """Sum over targets of weight * -log softmax(logits)[target]; the target is looked up."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits.astype(jnp.float32), targets)
    return (losses * weights).sum()


def one_hot_cross_entropy(logits: jax.Array, targets: jax.Array, weights: jax.Array | float = 1.0):
    """The same number by a product with one-hot targets."""
    log_probabilities = jax.nn.log_softmax(logits.astype(jnp.float32))
    one_hot = jax.nn.one_hot(targets, logits.shape[-1], dtype=jnp.float32)
    return -((one_hot * log_probabilities).sum(axis=-1) * weights).sum()
