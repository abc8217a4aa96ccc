"""Rotary position embedding: rotates each half-pair (x[i], x[i + d/2]) by position * 10000^(-2i/d).

The dot product of two rotated vectors depends on their distance only; angles are computed in the
step from iota, so they cost no parameters.
"""

import jax
import jax.numpy as jnp

BASE = 10000.0


def rotate(x: jax.Array) -> jax.Array:
    """Rotates [batch, seq, heads, head_dim] by the position in `seq`."""
    seq_len, half = x.shape[1], x.shape[-1] // 2
    frequency = BASE ** (-jnp.arange(half, dtype=jnp.float32) / half)
    angle = jnp.arange(seq_len, dtype=jnp.float32)[:, None, None] * frequency
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    low, high = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    turned = jnp.concatenate([low * cos - high * sin, high * cos + low * sin], axis=-1)
    return turned.astype(x.dtype)
