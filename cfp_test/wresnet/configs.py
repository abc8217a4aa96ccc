"""Sizes of Wide-ResNet, by letter: B (500M) and C (1B) are the two that Aceso profiled.

A stage is a run of bottlenecks at one resolution; each stage halves the resolution of the one
before and doubles its channels. `tiny` has two stages of three, so the last two of each are equal.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Config:
    """stages: bottlenecks per stage; channels: of the stem; width: of a bottleneck's middle."""

    stages: tuple[int, ...]
    channels: int
    width: int
    image_size: int = 224
    classes: int = 1024
    norm_groups: int = 32


CONFIGS = {
    "tiny": Config((3, 3), channels=16, width=2, image_size=48, classes=24, norm_groups=8),
    "B": Config((3, 4, 6, 3), channels=224, width=2),
    "C": Config((3, 4, 6, 3), channels=320, width=2),
}


def with_bottlenecks(config: Config, count: int) -> Config:
    """The same network with `count` bottlenecks dealt evenly over its stages, early ones first."""
    stages = len(config.stages)
    if count < stages:
        raise ValueError(f"num_layer={count} leaves one of the {stages} stages empty.")
    share, left = divmod(count, stages)
    return replace(config, stages=tuple(share + (stage < left) for stage in range(stages)))
