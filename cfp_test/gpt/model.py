"""The GPT network: pre-norm layers of causal self-attention and a GELU feed-forward pair.

Queries, keys and values are projected straight to [heads, head_dim] with `DenseGeneral`, heads
staying behind the sequence ([batch, seq, heads, head_dim]). With `fused_qkv` one projection of
width 3 * hidden is cut into three instead. With `tied` the head is the transposed embedding.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.gpt.configs import Config
from cfp_test.training import LayerPolicy, apply_layers


class GPT(nn.Module):
    """Token ids [batch, seq] -> logits [batch, seq, vocab]."""

    config: Config
    dtype: jnp.dtype
    policy: LayerPolicy
    dropout: float
    tied: bool
    fused_qkv: bool

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        config = self.config
        embedding = nn.Embed(config.vocab, config.hidden, dtype=self.dtype, name="tokens")
        positions = nn.Embed(config.seq_len, config.hidden, dtype=self.dtype, name="positions")
        x = embedding(tokens) + positions(jnp.arange(config.seq_len))
        x = nn.Dropout(self.dropout, deterministic=False)(x)
        fields = (config, self.dtype, self.dropout, self.fused_qkv)
        x = apply_layers(Layer, self.policy, config.layers, fields, x)
        x = nn.LayerNorm(dtype=self.dtype, name="final_norm")(x)
        if self.tied:
            return embedding.attend(x)
        return nn.Dense(config.vocab, use_bias=False, dtype=self.dtype, name="head")(x)


class Layer(nn.Module):
    """One pre-norm transformer layer with two residual joins."""

    config: Config
    dtype: jnp.dtype
    dropout: float
    fused_qkv: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self._attention(nn.LayerNorm(dtype=self.dtype, name="attention_norm")(x))
        return x + self._feed_forward(nn.LayerNorm(dtype=self.dtype, name="mlp_norm")(x))

    def _attention(self, x: jax.Array) -> jax.Array:
        query, key, value = self._fused_qkv(x) if self.fused_qkv else self._separate_qkv(x)
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / query.shape[-1] ** 0.5
        causal = jnp.tril(jnp.ones(scores.shape[-2:], bool))
        scores = jnp.where(causal, scores.astype(jnp.float32), -1e9)
        weights = self._drop(nn.softmax(scores).astype(self.dtype))
        mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
        output = nn.DenseGeneral(x.shape[-1], axis=(-2, -1), dtype=self.dtype, name="output")
        return self._drop(output(mixed))

    def _separate_qkv(self, x: jax.Array) -> list[jax.Array]:
        shape = (self.config.heads, self.config.hidden // self.config.heads)
        return [
            nn.DenseGeneral(shape, dtype=self.dtype, name=name)(x)
            for name in ("query", "key", "value")
        ]

    def _fused_qkv(self, x: jax.Array) -> list[jax.Array]:
        fused = nn.Dense(3 * self.config.hidden, dtype=self.dtype, name="qkv")(x)
        shape = (*x.shape[:-1], self.config.heads, -1)
        return [part.reshape(shape) for part in jnp.split(fused, 3, axis=-1)]

    def _feed_forward(self, x: jax.Array) -> jax.Array:
        wide = nn.gelu(nn.Dense(self.config.mlp, dtype=self.dtype, name="widen")(x))
        return self._drop(nn.Dense(self.config.hidden, dtype=self.dtype, name="narrow")(wide))

    def _drop(self, x: jax.Array) -> jax.Array:
        return nn.Dropout(self.dropout, deterministic=False)(x)
