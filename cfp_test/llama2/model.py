"""The LLaMA-2 network in flax nnx: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Queries, keys and values are bias-free `nnx.Linear` layers of flat width, reshaped to
[batch, seq, heads, head_dim] afterwards. Query heads are a second time cut into
(num_kv_heads, group), so that keys and values are never repeated; num_kv_heads=1 is multi-query
attention. Scanned layers are one `Layer` whose parameters carry a leading layer dimension.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from cfp_test.llama2.configs import Config
from cfp_test.llama2.rotary import rotate
from cfp_test.training import LayerPolicy


class Llama(nnx.Module):
    """Token ids [batch, seq] -> logits [batch, seq, vocab]."""

    def __init__(self, config: Config, dtype: jnp.dtype, policy: LayerPolicy, rngs: nnx.Rngs):
        self.policy = policy
        self.tokens = nnx.Embed(config.vocab, config.hidden, dtype=dtype, rngs=rngs)
        self.layers = _make_layers(config, dtype, policy, rngs)
        self.final_norm = nnx.RMSNorm(config.hidden, dtype=dtype, rngs=rngs)
        self.head = _linear(config.hidden, config.vocab, dtype, rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        x = _run_layers(self.layers, self.policy, self.tokens(tokens))
        return self.head(self.final_norm(x))


class Layer(nnx.Module):
    """One pre-norm layer."""

    def __init__(self, config: Config, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.attention_norm = nnx.RMSNorm(config.hidden, dtype=dtype, rngs=rngs)
        self.attention = Attention(config, dtype, rngs)
        self.mlp_norm = nnx.RMSNorm(config.hidden, dtype=dtype, rngs=rngs)
        self.gate = _linear(config.hidden, config.mlp, dtype, rngs)
        self.up = _linear(config.hidden, config.mlp, dtype, rngs)
        self.down = _linear(config.mlp, config.hidden, dtype, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self.attention(self.attention_norm(x))
        normed = self.mlp_norm(x)
        return x + self.down(nnx.silu(self.gate(normed)) * self.up(normed))


class Attention(nnx.Module):
    """Causal grouped-query attention with rotary positions."""

    def __init__(self, config: Config, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.config = config
        shared_width = config.num_kv_heads * config.head_dim
        self.query = _linear(config.hidden, config.hidden, dtype, rngs)
        self.key = _linear(config.hidden, shared_width, dtype, rngs)
        self.value = _linear(config.hidden, shared_width, dtype, rngs)
        self.output = _linear(config.hidden, config.hidden, dtype, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        query = rotate(self._heads(self.query(x)))
        key = rotate(self._heads(self.key(x)))
        value = self._heads(self.value(x))
        batch, seq_len, _, head_dim = query.shape
        query = query.reshape(batch, seq_len, self.config.num_kv_heads, -1, head_dim)

        scores = jnp.einsum("bqngd,bknd->bngqk", query, key).astype(jnp.float32)
        causal = jnp.tril(jnp.ones((seq_len, seq_len), bool))
        scores = jnp.where(causal, scores * head_dim**-0.5, -jnp.inf)
        weights = jax.nn.softmax(scores).astype(x.dtype)
        mixed = jnp.einsum("bngqk,bknd->bqngd", weights, value)
        return self.output(mixed.reshape(x.shape))

    def _heads(self, x: jax.Array) -> jax.Array:
        return x.reshape(*x.shape[:-1], -1, self.config.head_dim)


def _linear(width_in: int, width_out: int, dtype: jnp.dtype, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(width_in, width_out, use_bias=False, dtype=dtype, rngs=rngs)


def _make_layers(
    config: Config, dtype: jnp.dtype, policy: LayerPolicy, rngs: nnx.Rngs
) -> nnx.List | Layer:
    """A list of layers, or for a scan one layer with stacked parameters."""

    def make(key: jax.Array) -> Layer:
        return Layer(config, dtype, nnx.Rngs(key))

    keys = jax.random.split(rngs.params(), config.layers)
    if policy.scan:
        return nnx.vmap(make)(keys)
    make_traced_once = nnx.jit(make)  # tracing 80 layers one by one takes nnx 20 s
    return nnx.List([make_traced_once(key) for key in keys])


def _run_layers(layers: nnx.List | Layer, policy: LayerPolicy, x: jax.Array) -> jax.Array:
    def run(x: jax.Array, layer: Layer) -> jax.Array:
        return layer(x)

    if policy.remat:
        run = nnx.remat(run, prevent_cse=not policy.scan)
    if policy.scan:
        return nnx.scan(run, in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)(x, layers)
    for layer in layers:
        x = run(x, layer)
    return x
