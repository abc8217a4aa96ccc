"""T5: an encoder-decoder language model with relative position bias (flax linen).

    step, args = cfp_test.t5.train_step(config="B", batch_size=16, remat=True)

`init_state(**flags)` and `sample_batch(**flags)` take the same flags.
"""

from cfp_test.t5.recipe import init_state, sample_batch, train_step

__all__ = ["init_state", "sample_batch", "train_step"]
