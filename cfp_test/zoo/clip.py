"""CLIP: an image tower and a text tower trained so that pairs point the same way (flax linen).

Each tower ends in unit vectors [batch, shared]; their product [batch, batch] is contracted over
`shared`, and each row and each column must pick its own pair. The batch thus appears twice in one
tensor, once per tower. In-batch negatives make accumulation a different loss, so there is no such
flag.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.training import (
    LayerPolicy,
    Outcome,
    Recipe,
    apply_layers,
    batch_factory,
    state_factory,
    step_factory,
    token_cross_entropy,
)

SHARED = 48
HEADS = 4


class Layer(nn.Module):
    """Pre-norm self-attention and feed-forward, with flax's own attention module."""

    mlp: int

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        x = x + nn.MultiHeadDotProductAttention(HEADS)(nn.LayerNorm()(x), mask=mask)
        wide = nn.gelu(nn.Dense(self.mlp)(nn.LayerNorm()(x)))
        return x + nn.Dense(x.shape[-1])(wide)


class Tower(nn.Module):
    """Vectors [batch, seq, width] -> one unit vector per row, taken at the mean position."""

    policy: LayerPolicy
    layers: int

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        positions = self.param("positions", nn.initializers.normal(0.02), x.shape[1:])
        fields = (5 * x.shape[-1],)
        x = apply_layers(Layer, self.policy, self.layers, fields, x + positions, mask)
        x = nn.Dense(SHARED, use_bias=False)(nn.LayerNorm()(x).mean(axis=1))
        return x / jnp.linalg.norm(x, axis=-1, keepdims=True)


class Clip(nn.Module):
    """Images [batch, size, size, 3] and texts [batch, seq] -> similarities [batch, batch]."""

    policy: LayerPolicy
    layers: int
    patch: int
    image_width: int
    text_width: int
    vocab: int

    @nn.compact
    def __call__(self, images: jax.Array, texts: jax.Array) -> jax.Array:
        window = (self.patch, self.patch)
        patches = nn.Conv(self.image_width, window, window, padding="VALID")(images)
        patches = patches.reshape(images.shape[0], -1, self.image_width)
        everything = jnp.ones((1, 1, patches.shape[1], patches.shape[1]), bool)
        image = Tower(self.policy, self.layers, name="image")(patches, everything)

        words = nn.Embed(self.vocab, self.text_width)(texts)
        text = Tower(self.policy, self.layers, name="text")(words, nn.make_causal_mask(texts))
        scale = self.param("log_scale", nn.initializers.constant(2.0), ())
        return jnp.exp(scale) * image @ text.T


def recipe(
    *,
    num_layer: int = 2,
    batch_size: int = 8,
    seq_len: int = 32,
    image_size: int = 24,
    patch: int = 6,
    image_width: int = 96,
    text_width: int = 64,
    vocab: int = 512,
    scan: bool = False,
    remat: bool = False,
) -> Recipe:
    """Symmetric contrastive loss over the batch; num_layer layers in each tower."""
    policy = LayerPolicy(scan, remat)
    model = Clip(policy, num_layer, patch, image_width, text_width, vocab)

    def sample(key):
        image_key, text_key = jax.random.split(key)
        images = jax.random.normal(image_key, (batch_size, image_size, image_size, 3))
        texts = jax.random.randint(text_key, (batch_size, seq_len), 0, vocab)
        return {"images": images, "texts": texts}

    def init(key):
        batch = sample(key)
        return model.init(key, batch["images"], batch["texts"])["params"], {}

    def loss(params, statistics, batch, rng):
        logits = model.apply({"params": params}, batch["images"], batch["texts"])
        pairs = jnp.arange(batch_size)
        total = (token_cross_entropy(logits, pairs) + token_cross_entropy(logits.T, pairs)) / 2.0
        return Outcome(total, jnp.float32(batch_size), statistics)

    return Recipe(init, loss, sample)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
