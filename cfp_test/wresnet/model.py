"""The Wide-ResNet network: a strided stem, stages of bottlenecks, mean pooling, a classifier.

A bottleneck is 1x1, 3x3 and 1x1 convolutions, each followed by a norm, with a shortcut around
them; the first of a stage projects its shortcut to the new shape, the others are all equal and may
be scanned. Batch norm keeps running statistics ("batch_stats") beside the parameters.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cfp_test.training import LayerPolicy, apply_layers
from cfp_test.wresnet.configs import Config


class WideResNet(nn.Module):
    """Images [batch, height, width, 3] -> logits [batch, classes]."""

    config: Config
    dtype: jnp.dtype
    policy: LayerPolicy
    norm: str

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        config = self.config
        x = images.astype(self.dtype)
        x = nn.Conv(config.channels, (7, 7), 2, use_bias=False, dtype=self.dtype, name="stem")(x)
        x = nn.relu(_norm(self, name="stem_norm")(x))
        x = nn.max_pool(x, (3, 3), strides=(2, 2), padding="SAME")
        for stage, count in enumerate(config.stages):
            x = self._stage(x, stage, count)
        x = x.mean(axis=(1, 2))
        return nn.Dense(config.classes, dtype=self.dtype, name="classifier")(x)

    def _stage(self, x: jax.Array, stage: int, count: int) -> jax.Array:
        channels = self.config.channels * 2**stage
        stride = 1 if stage == 0 else 2
        fields = (self.config, self.dtype, self.norm, channels)
        x = Bottleneck(*fields, stride=stride, project=True, name=f"stage_{stage}_first")(x)
        return apply_layers(
            Bottleneck, self.policy, count - 1, fields, x, name=f"stage_{stage}_layer"
        )


class Bottleneck(nn.Module):
    """Narrow, mix, widen; `project` changes the shortcut's shape along."""

    config: Config
    dtype: jnp.dtype
    norm: str
    channels: int
    stride: int = 1
    project: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        middle, wide = self.channels * self.config.width, self.channels * 4
        y = nn.relu(self._convolve(x, self.channels, 1, 1, "narrow"))
        y = nn.relu(self._convolve(y, middle, 3, self.stride, "mix"))
        y = self._convolve(y, wide, 1, 1, "widen")
        shortcut = self._convolve(x, wide, 1, self.stride, "shortcut") if self.project else x
        return nn.relu(y + shortcut)

    def _convolve(self, x: jax.Array, channels: int, size: int, stride: int, name: str):
        convolution = nn.Conv(
            channels, (size, size), stride, use_bias=False, dtype=self.dtype, name=name
        )
        return _norm(self, name=f"{name}_norm")(convolution(x))


def _norm(module: WideResNet | Bottleneck, name: str) -> nn.Module:
    """The norm that the module's field of that name asks for."""
    if module.norm == "batch":
        return nn.BatchNorm(use_running_average=False, dtype=module.dtype, name=name)
    return nn.GroupNorm(module.config.norm_groups, dtype=module.dtype, name=name)
