"""How GPT is trained: next-token prediction with AdamW; the flags of `gpt_test.sh`."""

import jax.numpy as jnp

from cfp_test.gpt.configs import CONFIGS
from cfp_test.gpt.model import GPT
from cfp_test.training import (
    LayerPolicy,
    Outcome,
    Recipe,
    batch_factory,
    choose_config,
    dropout_rngs,
    random_text,
    state_factory,
    step_factory,
    token_cross_entropy,
)


def recipe(
    *,
    num_layer: int = 0,
    batch_size: int = 8,
    config: str = "tiny",
    seq_len: int = 0,
    dtype: str = "float32",
    scan: bool = False,
    remat: bool = False,
    accumulation: int = 1,
    dropout: float = 0.0,
    tied: bool = True,
    fused_qkv: bool = False,
) -> Recipe:
    """GPT by configuration (tiny, B ... G); 0 for num_layer or seq_len keeps the configuration's.

    dtype is the type of the computation (parameters stay float32); dropout > 0 adds an rng
    argument to the step; tied shares the head with the embedding.
    """
    chosen = choose_config(CONFIGS, config, layers=num_layer, seq_len=seq_len)
    policy = LayerPolicy(scan, remat)
    model = GPT(chosen, jnp.dtype(dtype), policy, dropout, tied, fused_qkv)

    def sample(key):
        return random_text(key, batch_size, chosen.seq_len, chosen.vocab)

    def init(key):
        keys = {"params": key, "dropout": key}
        return model.init(keys, sample(key)["inputs"])["params"], {}

    def loss(params, statistics, batch, rng):
        logits = model.apply({"params": params}, batch["inputs"], rngs=dropout_rngs(rng))
        total = token_cross_entropy(logits, batch["targets"])
        return Outcome(total, jnp.float32(batch["targets"].size), statistics)

    return Recipe(init, loss, sample, accumulation, takes_rng=dropout > 0)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
