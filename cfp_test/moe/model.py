"""The MoE network: GPT's skeleton with GShard's experts in the place of the feed-forward pair.

Every projection is an explicit einsum over a named parameter, heads kept as a dimension of it
("bsm,mhd->bshd"). Of every `expert_every` layers the last one has experts, the others are dense;
a scan runs over such groups of layers. The carry is (x, balance): each expert layer adds its
load-balance loss.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.moe.configs import Config
from cfp_test.moe.router import route_top2
from cfp_test.training import LayerPolicy, apply_layers


class MoE(nn.Module):
    """Token ids [batch, seq] -> (logits [batch, seq, vocab], mean balance loss)."""

    config: Config
    dtype: jnp.dtype
    policy: LayerPolicy
    dropout: float
    expert_every: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> tuple[jax.Array, jax.Array]:
        config, groups = self.config, self.config.layers // self.expert_every
        embed = nn.Embed(config.vocab, config.hidden, dtype=self.dtype, name="tokens")
        positions = nn.Embed(config.seq_len, config.hidden, dtype=self.dtype, name="positions")
        x = embed(tokens) + positions(jnp.arange(config.seq_len))
        fields = (config, self.dtype, self.dropout, self.expert_every)
        carry = (x, jnp.zeros((), jnp.float32))
        x, balance = apply_layers(LayerGroup, self.policy, groups, fields, carry)
        x = nn.LayerNorm(dtype=self.dtype, name="final_norm")(x)
        logits = nn.Dense(config.vocab, use_bias=False, dtype=self.dtype, name="head")(x)
        return logits, balance / groups


class LayerGroup(nn.Module):
    """expert_every layers: dense ones, then one with experts."""

    config: Config
    dtype: jnp.dtype
    dropout: float
    expert_every: int

    @nn.compact
    def __call__(self, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        x, balance = carry
        for index in range(self.expert_every):
            x = x + self._drop(Attention(self.config, self.dtype)(self._norm(x)))
            if index < self.expert_every - 1:
                x = x + self._drop(FeedForward(self.config, self.dtype)(self._norm(x)))
        mixed, more = Experts(self.config, self.dtype)(self._norm(x))
        return x + self._drop(mixed), balance + more

    def _norm(self, x: jax.Array) -> jax.Array:
        return nn.LayerNorm(dtype=self.dtype)(x)

    def _drop(self, x: jax.Array) -> jax.Array:
        return nn.Dropout(self.dropout, deterministic=False)(x)


class Attention(nn.Module):
    """Causal self-attention."""

    config: Config
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        heads, head_dim = self.config.heads, self.config.hidden // self.config.heads
        shape = (self.config.hidden, heads, head_dim)
        query, key, value = (
            jnp.einsum("bsm,mhd->bshd", x, _weight(self, name, shape, fan_in=1))
            for name in ("query", "key", "value")
        )
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key).astype(jnp.float32) * head_dim**-0.5
        row, column = (jax.lax.broadcasted_iota(jnp.int32, scores.shape[-2:], i) for i in (0, 1))
        weights = nn.softmax(jnp.where(row >= column, scores, -1e9)).astype(self.dtype)
        mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
        output = _weight(self, "output", (heads, head_dim, self.config.hidden), fan_in=2)
        return jnp.einsum("bshd,hdm->bsm", mixed, output)


class FeedForward(nn.Module):
    """The dense layers' feed-forward pair."""

    config: Config
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        hidden, mlp = self.config.hidden, self.config.mlp
        wide = jnp.einsum("bsm,mf->bsf", x, _weight(self, "widen", (hidden, mlp), fan_in=1))
        narrow = _weight(self, "narrow", (mlp, hidden), fan_in=1)
        return jnp.einsum("bsf,fm->bsm", nn.gelu(wide), narrow)


class Experts(nn.Module):
    """Top-2 mixture of experts: route, dispatch, two matrices per expert, combine."""

    config: Config
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        config, hidden = self.config, self.config.hidden
        tokens = x.reshape(-1, config.group, hidden)
        router = self.param("router", nn.initializers.normal(0.02), (hidden, config.experts))
        logits = jnp.einsum("gsm,me->gse", tokens.astype(jnp.float32), router)
        combine, balance = route_top2(logits, config.capacity)
        dispatch = (combine > 0.0).astype(self.dtype)

        widen = _weight(self, "widen", (config.experts, hidden, config.mlp), fan_in=1, stacked=1)
        narrow = _weight(self, "narrow", (config.experts, config.mlp, hidden), fan_in=1, stacked=1)
        received = jnp.einsum("gsec,gsm->egcm", dispatch, tokens)
        wide = nn.gelu(jnp.einsum("egcm,emf->egcf", received, widen))
        answers = jnp.einsum("egcf,efm->egcm", wide, narrow)
        mixed = jnp.einsum("gsec,egcm->gsm", combine.astype(self.dtype), answers)
        return mixed.reshape(x.shape), balance


def _weight(
    module: nn.Module, name: str, shape: tuple[int, ...], fan_in: int, stacked: int = 0
) -> jax.Array:
    """A parameter in the computation's dtype: `stacked` leading dims, then `fan_in` input dims."""
    axes = tuple(range(stacked, len(shape)))
    initializer = nn.initializers.variance_scaling(
        1.0, "fan_in", "normal", axes[:fan_in], axes[fan_in:], tuple(range(stacked))
    )
    return module.param(name, initializer, shape).astype(module.dtype)
