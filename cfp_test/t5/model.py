"""The T5 network: pre-norm encoder and decoder stacks without biases, heads before the sequence.

Projections are einsums that put heads first ("bsm,mhd->bhsd"), so attention never transposes.
Each stack has one relative position bias for all its layers; cross attention has none. Padding
(token 0) is masked out as a key. The embedding, shared by both stacks, is tied to the head.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.t5.configs import Config
from cfp_test.t5.relative_bias import RelativeBias
from cfp_test.training import LayerPolicy, apply_layers

MASKED = -1e9


class T5(nn.Module):
    """Source [batch, seq], decoder inputs [batch, target] -> logits [batch, target, vocab]."""

    config: Config
    dtype: jnp.dtype
    policy: LayerPolicy
    dropout: float

    @nn.compact
    def __call__(self, source: jax.Array, decoder_inputs: jax.Array) -> jax.Array:
        config = self.config
        unit = nn.initializers.normal(1.0)
        embed = nn.Embed(
            config.vocab, config.hidden, dtype=self.dtype, embedding_init=unit, name="tokens"
        )
        source_mask = jnp.where(source == 0, MASKED, 0.0)[:, None, None, :]
        encoded = self._encode(embed(source), source_mask)
        x = self._decode(embed(decoder_inputs), encoded, source_mask)
        return embed.attend(x * config.hidden**-0.5)

    def _encode(self, x: jax.Array, source_mask: jax.Array) -> jax.Array:
        bias = self._bias("encoder_bias", x.shape[1], bidirectional=True) + source_mask
        return self._stack(EncoderLayer, "encoder", x, bias)

    def _decode(self, x: jax.Array, encoded: jax.Array, source_mask: jax.Array) -> jax.Array:
        length = x.shape[1]
        future = jnp.triu(jnp.full((length, length), MASKED), k=1)
        bias = self._bias("decoder_bias", length, bidirectional=False) + future
        return self._stack(DecoderLayer, "decoder", x, bias, encoded, source_mask)

    def _bias(self, name: str, length: int, bidirectional: bool) -> jax.Array:
        config = self.config
        return RelativeBias(config.heads, config.buckets, bidirectional, name=name)(length, length)

    def _stack(self, layer: type[nn.Module], name: str, x: jax.Array, *context) -> jax.Array:
        fields = (self.config, self.dtype, self.dropout)
        drop = nn.Dropout(self.dropout, deterministic=False)
        count = self.config.layers
        x = apply_layers(layer, self.policy, count, fields, drop(x), *context, name=name)
        return drop(nn.RMSNorm(dtype=self.dtype, name=f"{name}_norm")(x))


class EncoderLayer(nn.Module):
    """Self-attention, feed-forward."""

    config: Config
    dtype: jnp.dtype
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, bias: jax.Array) -> jax.Array:
        drop = nn.Dropout(self.dropout, deterministic=False)
        normed = nn.RMSNorm(dtype=self.dtype)(x)
        x = x + drop(Attention(self.config, self.dtype)(normed, normed, bias))
        return x + drop(FeedForward(self.config, self.dtype)(nn.RMSNorm(dtype=self.dtype)(x)))


class DecoderLayer(nn.Module):
    """Causal self-attention, cross attention to the encoder's result, feed-forward."""

    config: Config
    dtype: jnp.dtype
    dropout: float

    @nn.compact
    def __call__(
        self, x: jax.Array, bias: jax.Array, encoded: jax.Array, source_mask: jax.Array
    ) -> jax.Array:
        drop = nn.Dropout(self.dropout, deterministic=False)
        normed = nn.RMSNorm(dtype=self.dtype)(x)
        x = x + drop(Attention(self.config, self.dtype)(normed, normed, bias))
        normed = nn.RMSNorm(dtype=self.dtype)(x)
        x = x + drop(Attention(self.config, self.dtype, name="cross")(normed, encoded, source_mask))
        return x + drop(FeedForward(self.config, self.dtype)(nn.RMSNorm(dtype=self.dtype)(x)))


class Attention(nn.Module):
    """Attention of x to `keys_from`; like the original, scores are not scaled by the head width."""

    config: Config
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array, keys_from: jax.Array, bias: jax.Array) -> jax.Array:
        query = self._project("query", x)
        key, value = self._project("key", keys_from), self._project("value", keys_from)
        scores = jnp.einsum("bhqd,bhkd->bhqk", query, key).astype(jnp.float32) + bias
        weights = nn.softmax(scores).astype(self.dtype)
        mixed = jnp.einsum("bhqk,bhkd->bhqd", weights, value)
        inner = self.config.heads * self.config.head_dim
        shape = (self.config.heads, self.config.head_dim, self.config.hidden)
        output = self.param("output", nn.initializers.normal(inner**-0.5), shape)
        return jnp.einsum("bhsd,hdm->bsm", mixed, output.astype(self.dtype))

    def _project(self, name: str, x: jax.Array) -> jax.Array:
        config = self.config
        width = config.hidden * (config.head_dim if name == "query" else 1)
        shape = (config.hidden, config.heads, config.head_dim)
        weight = self.param(name, nn.initializers.normal(width**-0.5), shape)
        return jnp.einsum("bsm,mhd->bhsd", x, weight.astype(self.dtype))


class FeedForward(nn.Module):
    """The original's ReLU pair."""

    config: Config
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        wide = nn.Dense(self.config.mlp, use_bias=False, dtype=self.dtype, name="widen")(x)
        narrow = nn.Dense(self.config.hidden, use_bias=False, dtype=self.dtype, name="narrow")
        return narrow(nn.relu(wide))
