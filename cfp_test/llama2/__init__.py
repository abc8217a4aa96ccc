"""LLaMA-2: a causal language model with rotary positions and grouped-query attention (flax nnx).

    step, args = cfp_test.llama2.train_step(config="70B", num_layer=4, scan=True)

`init_state(**flags)` and `sample_batch(**flags)` take the same flags.
"""

from cfp_test.llama2.recipe import init_state, sample_batch, train_step

__all__ = ["init_state", "sample_batch", "train_step"]
