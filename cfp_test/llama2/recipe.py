"""How LLaMA-2 is trained: next-token prediction, with an nnx module inside a pure step.

The module is split into its structure, which the step closes over, and its parameters, which the
step takes and returns; `nnx.merge` puts the two together inside the step.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from cfp_test.llama2.configs import CONFIGS, Config
from cfp_test.llama2.model import Llama
from cfp_test.training import (
    LayerPolicy,
    Outcome,
    Recipe,
    batch_factory,
    choose_config,
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
    num_kv_heads: int = 0,
) -> Recipe:
    """LLaMA-2 by configuration (tiny, B, C, 70B); 0 keeps what the configuration says.

    num_kv_heads=1 is multi-query attention. LLaMA-2 has no dropout.
    """
    chosen = choose_config(
        CONFIGS, config, layers=num_layer, seq_len=seq_len, num_kv_heads=num_kv_heads
    )
    _check_heads(chosen)

    def make(key):
        return Llama(chosen, jnp.dtype(dtype), LayerPolicy(scan, remat), nnx.Rngs(key))

    structure = nnx.graphdef(nnx.eval_shape(make, jax.random.key(0)))

    def sample(key):
        return random_text(key, batch_size, chosen.seq_len, chosen.vocab)

    def init(key):
        return nnx.state(make(key), nnx.Param), {}

    def loss(params, statistics, batch, rng):
        logits = nnx.merge(structure, params)(batch["inputs"])
        total = token_cross_entropy(logits, batch["targets"])
        return Outcome(total, jnp.float32(batch["targets"].size), statistics)

    return Recipe(init, loss, sample, accumulation)


def _check_heads(config: Config) -> None:
    if config.heads % config.num_kv_heads:
        raise ValueError(
            f"{config.heads} query heads do not split evenly over num_kv_heads="
            f"{config.num_kv_heads}; choose a divisor."
        )


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
