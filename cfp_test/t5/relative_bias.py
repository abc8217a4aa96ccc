"""T5's relative position bias: a learned number per head and bucket of key - query distance.

Small distances have a bucket each, larger ones share buckets of growing width up to 128, where the
last bucket takes the rest. An encoder spends half of its buckets on keys to the right; a decoder,
which sees none, spends all on keys to the left. With 12 buckets in an encoder:

    distance   0  -1  -2  -3..-10  -11..-36  -37..   1  2  3..10
    bucket     0   1   2     3        4         5    7  8    9
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

FARTHEST = 128


class RelativeBias(nn.Module):
    """A bias [1, heads, queries, keys], added to every layer's attention scores."""

    heads: int
    buckets: int
    bidirectional: bool

    @nn.compact
    def __call__(self, queries: int, keys: int) -> jax.Array:
        table = nn.Embed(self.buckets, self.heads, name="table")
        distance = jnp.arange(keys) - jnp.arange(queries)[:, None]
        bias = table(_bucket(distance, self.buckets, self.bidirectional))
        return bias.transpose(2, 0, 1)[None]


def _bucket(distance: jax.Array, buckets: int, bidirectional: bool) -> jax.Array:
    """The bucket of each key - query distance."""
    if not bidirectional:
        return _one_sided(jnp.maximum(-distance, 0), buckets)
    side = jnp.where(distance > 0, buckets // 2, 0)
    return side + _one_sided(jnp.abs(distance), buckets // 2)


def _one_sided(far: jax.Array, buckets: int) -> jax.Array:
    """Buckets of distances >= 0: the first half exact, the second half logarithmic."""
    exact = buckets // 2
    growth = jnp.log(jnp.maximum(far, 1) / exact) / jnp.log(FARTHEST / exact)
    shared = exact + (growth * (buckets - exact)).astype(jnp.int32)
    return jnp.where(far < exact, far, jnp.minimum(shared, buckets - 1))
