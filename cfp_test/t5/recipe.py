"""How T5 is trained: the decoder predicts each target token from the source and earlier targets.

Sources and targets end in padding (token 0) of random length; padded targets weigh nothing.
"""

import jax
import jax.numpy as jnp

from cfp_test.t5.configs import CONFIGS
from cfp_test.t5.model import T5
from cfp_test.training import (
    LayerPolicy,
    Outcome,
    Recipe,
    batch_factory,
    choose_config,
    dropout_rngs,
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
    target_len: int = 0,
    dtype: str = "float32",
    scan: bool = False,
    remat: bool = False,
    accumulation: int = 1,
    dropout: float = 0.0,
) -> Recipe:
    """T5 by configuration (tiny, B, C, D); 0 for a number keeps the configuration's.

    num_layer counts encoder layers and, separately, decoder layers; dropout > 0 adds an rng
    argument to the step.
    """
    chosen = choose_config(
        CONFIGS, config, layers=num_layer, seq_len=seq_len, target_len=target_len
    )
    model = T5(chosen, jnp.dtype(dtype), LayerPolicy(scan, remat), dropout)

    def sample(key):
        source_key, target_key = jax.random.split(key)
        return {
            "source": _padded_text(source_key, batch_size, chosen.seq_len, chosen.vocab),
            "targets": _padded_text(target_key, batch_size, chosen.target_len, chosen.vocab),
        }

    def init(key):
        batch, keys = sample(key), {"params": key, "dropout": key}
        return model.init(keys, batch["source"], batch["targets"])["params"], {}

    def loss(params, statistics, batch, rng):
        targets = batch["targets"]
        decoder_inputs = jnp.pad(targets[:, :-1], ((0, 0), (1, 0)))
        logits = model.apply(
            {"params": params}, batch["source"], decoder_inputs, rngs=dropout_rngs(rng)
        )
        present = (targets != 0).astype(jnp.float32)
        return Outcome(token_cross_entropy(logits, targets, present), present.sum(), statistics)

    return Recipe(init, loss, sample, accumulation, takes_rng=dropout > 0)


def _padded_text(key: jax.Array, count: int, length: int, vocab: int) -> jax.Array:
    """Random tokens, each row padded with 0 from somewhere in its second half on."""
    text_key, length_key = jax.random.split(key)
    text = jax.random.randint(text_key, (count, length), 1, vocab)
    lengths = jax.random.randint(length_key, (count, 1), length // 2, length + 1)
    return jnp.where(jnp.arange(length) < lengths, text, 0)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
