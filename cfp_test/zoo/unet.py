"""A U-Net that removes noise from images (flax linen).

On the way down a strided convolution halves the resolution; on the way up a transposed one doubles
it and the skip of the same level is concatenated to the channels before the next convolution.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.training import Outcome, Recipe, batch_factory, state_factory, step_factory


class UNet(nn.Module):
    """[batch, size, size, colours] -> the same shape; channels double per level."""

    levels: int
    channels: int

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        x, skips = self._mix(images, self.channels), []
        for level in range(1, self.levels + 1):
            skips.append(x)
            x = self._mix(nn.Conv(self.channels * 2**level, (3, 3), 2)(x), x.shape[-1] * 2)
        for skip in reversed(skips):
            x = nn.ConvTranspose(skip.shape[-1], (2, 2), (2, 2))(x)
            x = self._mix(jnp.concatenate([x, skip], axis=-1), skip.shape[-1])
        return nn.Conv(images.shape[-1], (1, 1))(x)

    def _mix(self, x: jax.Array, channels: int) -> jax.Array:
        return nn.silu(nn.GroupNorm(num_groups=4)(nn.Conv(channels, (3, 3))(x)))


def recipe(
    *,
    num_layer: int = 2,
    batch_size: int = 8,
    image_size: int = 24,
    channels: int = 16,
    accumulation: int = 1,
) -> Recipe:
    """num_layer levels; predicts the noise that was added to an image, squared error."""
    model = UNet(num_layer, channels)

    def sample(key):
        image_key, noise_key = jax.random.split(key)
        shape = (batch_size, image_size, image_size, 3)
        image, noise = jax.random.normal(image_key, shape), jax.random.normal(noise_key, shape)
        return {"noisy": image + noise, "noise": noise}

    def init(key):
        return model.init(key, sample(key)["noisy"])["params"], {}

    def loss(params, statistics, batch, rng):
        errors = (model.apply({"params": params}, batch["noisy"]) - batch["noise"]) ** 2
        return Outcome(errors.sum(), jnp.float32(errors.size), statistics)

    return Recipe(init, loss, sample, accumulation)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
