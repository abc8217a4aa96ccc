"""How MoE is trained: next-token prediction plus the routers' balance loss."""

import jax.numpy as jnp

from cfp_test.moe.configs import CONFIGS, Config
from cfp_test.moe.model import MoE
from cfp_test.training import (
    LayerPolicy,
    Outcome,
    Recipe,
    batch_factory,
    choose_config,
    dropout_rngs,
    one_hot_cross_entropy,
    random_text,
    state_factory,
    step_factory,
)

BALANCE_WEIGHT = 0.01


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
    expert_every: int = 1,
) -> Recipe:
    """MoE by configuration (tiny, B); 0 for num_layer or seq_len keeps the configuration's.

    Every expert_every-th layer has experts, the others a dense feed-forward pair; dropout > 0
    adds an rng argument to the step.
    """
    chosen = choose_config(CONFIGS, config, layers=num_layer, seq_len=seq_len)
    _check_sizes(chosen, batch_size // accumulation, expert_every)
    policy = LayerPolicy(scan, remat)
    model = MoE(chosen, jnp.dtype(dtype), policy, dropout, expert_every)

    def sample(key):
        return random_text(key, batch_size, chosen.seq_len, chosen.vocab)

    def init(key):
        keys = {"params": key, "dropout": key}
        return model.init(keys, sample(key)["inputs"])["params"], {}

    def loss(params, statistics, batch, rng):
        logits, balance = model.apply({"params": params}, batch["inputs"], rngs=dropout_rngs(rng))
        weight = jnp.float32(batch["targets"].size)
        cross_entropy = one_hot_cross_entropy(logits, batch["targets"])
        total = cross_entropy + BALANCE_WEIGHT * balance * weight
        return Outcome(total, weight, statistics, {"balance": balance * weight})

    return Recipe(init, loss, sample, accumulation, takes_rng=dropout > 0)


def _check_sizes(config: Config, batch_size: int, expert_every: int) -> None:
    """Whole groups of tokens in a (micro-)batch, whole groups of layers in the stack."""
    tokens = batch_size * config.seq_len
    if tokens % config.group:
        raise ValueError(
            f"{batch_size} sequences of {config.seq_len} tokens are {tokens} tokens, not a "
            f"multiple of the routing group of {config.group}; change batch_size, accumulation "
            "or seq_len."
        )
    if config.layers % expert_every:
        raise ValueError(
            f"{config.layers} layers do not split into groups of expert_every={expert_every}; "
            "choose a divisor."
        )


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
