"""Wide-ResNet: a convolutional image classifier with wide bottlenecks (flax linen).

    step, args = cfp_test.wresnet.train_step(config="B", batch_size=64, norm="group")

`init_state(**flags)` and `sample_batch(**flags)` take the same flags.
"""

from cfp_test.wresnet.recipe import init_state, sample_batch, train_step

__all__ = ["init_state", "sample_batch", "train_step"]
