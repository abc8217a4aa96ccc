"""The BERT network: post-norm layers of padded self-attention, and a masked-word head.

Queries, keys and values are plain `Dense` layers of width hidden, reshaped to heads and transposed
to [batch, heads, seq, head_dim] before attention, and back after it. The head is a dense layer,
a norm, and the transposed embedding with a bias of its own.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.bert.configs import Config
from cfp_test.training import LayerPolicy, apply_layers

SENTENCES = 2


class Bert(nn.Module):
    """Words, sentence numbers and presence, each [batch, seq] -> logits [batch, seq, vocab]."""

    config: Config
    dtype: jnp.dtype
    policy: LayerPolicy
    dropout: float

    @nn.compact
    def __call__(self, words: jax.Array, sentences: jax.Array, present: jax.Array) -> jax.Array:
        config = self.config
        word_table = self._table(config.vocab, "words")
        x = word_table(words) + self._table(SENTENCES, "sentences")(sentences)
        x = x + self._table(config.seq_len, "positions")(jnp.arange(config.seq_len))
        x = nn.LayerNorm(dtype=self.dtype, name="embedding_norm")(x)
        x = nn.Dropout(self.dropout, deterministic=False)(x)

        mask = jnp.where(present, 0.0, -1e9)[:, None, None, :]
        fields = (config, self.dtype, self.dropout)
        x = apply_layers(Layer, self.policy, config.layers, fields, x, mask)

        x = nn.gelu(nn.Dense(config.hidden, dtype=self.dtype, name="transform")(x))
        x = nn.LayerNorm(dtype=self.dtype, name="head_norm")(x)
        bias = self.param("head_bias", nn.initializers.zeros, (config.vocab,))
        return word_table.attend(x) + bias.astype(self.dtype)

    def _table(self, rows: int, name: str) -> nn.Embed:
        return nn.Embed(
            rows,
            self.config.hidden,
            dtype=self.dtype,
            embedding_init=nn.initializers.normal(0.02),
            name=name,
        )


class Layer(nn.Module):
    """Self-attention and feed-forward, each followed by residual and norm."""

    config: Config
    dtype: jnp.dtype
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        drop = nn.Dropout(self.dropout, deterministic=False)
        x = nn.LayerNorm(dtype=self.dtype)(x + drop(self._attention(x, mask)))
        wide = nn.gelu(nn.Dense(self.config.mlp, dtype=self.dtype, name="widen")(x))
        narrow = nn.Dense(self.config.hidden, dtype=self.dtype, name="narrow")(wide)
        return nn.LayerNorm(dtype=self.dtype)(x + drop(narrow))

    def _attention(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        query, key, value = (self._heads(x, name) for name in ("query", "key", "value"))
        scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
        weights = nn.softmax(scores.astype(jnp.float32) + mask).astype(self.dtype)
        weights = nn.Dropout(self.dropout, deterministic=False)(weights)
        mixed = (weights @ value).transpose(0, 2, 1, 3).reshape(x.shape)
        return nn.Dense(self.config.hidden, dtype=self.dtype, name="output")(mixed)

    def _heads(self, x: jax.Array, name: str) -> jax.Array:
        """[batch, seq, hidden] -> projected [batch, heads, seq, head_dim]."""
        flat = nn.Dense(self.config.hidden, dtype=self.dtype, name=name)(x)
        return flat.reshape(*x.shape[:2], self.config.heads, -1).transpose(0, 2, 1, 3)
