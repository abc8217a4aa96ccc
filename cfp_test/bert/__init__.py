"""BERT: a bidirectional encoder trained to fill in masked words (flax linen).

    step, args = cfp_test.bert.train_step(config="B", batch_size=16, dtype="bfloat16")

`init_state(**flags)` and `sample_batch(**flags)` take the same flags.
"""

from cfp_test.bert.recipe import init_state, sample_batch, train_step

__all__ = ["init_state", "sample_batch", "train_step"]
