"""MoE: a causal language model with mixture-of-experts feed-forward layers (flax linen).

    step, args = cfp_test.moe.train_step(config="B", batch_size=16, expert_every=2)

`init_state(**flags)` and `sample_batch(**flags)` take the same flags.
"""

from cfp_test.moe.recipe import init_state, sample_batch, train_step

__all__ = ["init_state", "sample_batch", "train_step"]
