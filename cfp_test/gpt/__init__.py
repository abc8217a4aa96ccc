"""GPT: a causal decoder-only language model (flax linen).

    step, args = cfp_test.gpt.train_step(config="B", batch_size=16, dtype="bfloat16")

Also here: `init_state(**flags)` and `sample_batch(**flags)`, which take the same flags and return
functions of a PRNG key that make the real first state and a random batch.
"""

from cfp_test.gpt.recipe import init_state, sample_batch, train_step

__all__ = ["init_state", "sample_batch", "train_step"]
