"""How BERT is trained: about 15 % of the words are hidden and have to be named.

Of the hidden words 80 % are replaced by the mask word, 10 % by a random one, 10 % stay. Rows end
in padding of random length; only hidden words that are present have a weight.
"""

import jax
import jax.numpy as jnp

from cfp_test.bert.configs import CONFIGS, Config
from cfp_test.bert.model import Bert
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

HIDDEN_SHARE = 0.15
MASK_WORD = 1


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
) -> Recipe:
    """BERT by configuration (tiny, B ... G); 0 for num_layer or seq_len keeps the configuration's.

    dropout > 0 adds an rng argument to the step.
    """
    chosen = choose_config(CONFIGS, config, layers=num_layer, seq_len=seq_len)
    model = Bert(chosen, jnp.dtype(dtype), LayerPolicy(scan, remat), dropout)

    def sample(key):
        return _masked_words(key, batch_size, chosen)

    def init(key):
        keys = {"params": key, "dropout": key}
        return model.init(keys, *_inputs(sample(key)))["params"], {}

    def loss(params, statistics, batch, rng):
        logits = model.apply({"params": params}, *_inputs(batch), rngs=dropout_rngs(rng))
        total = token_cross_entropy(logits, batch["targets"], batch["weights"])
        return Outcome(total, batch["weights"].sum(), statistics)

    return Recipe(init, loss, sample, accumulation, takes_rng=dropout > 0)


def _inputs(batch: dict[str, jax.Array]) -> tuple[jax.Array, ...]:
    """What the network may see of a batch."""
    return batch["words"], batch["sentences"], batch["present"]


def _masked_words(key: jax.Array, count: int, config: Config) -> dict[str, jax.Array]:
    """A batch of random words with the hidden ones replaced; their names are the targets."""
    keys, shape = jax.random.split(key, 5), (count, config.seq_len)
    targets = jax.random.randint(keys[0], shape, MASK_WORD + 1, config.vocab)
    other = jax.random.randint(keys[1], shape, MASK_WORD + 1, config.vocab)
    lengths = jax.random.randint(keys[2], (count, 1), shape[1] // 2, shape[1] + 1)
    position = jnp.arange(shape[1])
    present = position < lengths
    hidden = (jax.random.uniform(keys[3], shape) < HIDDEN_SHARE) & present
    fate = jax.random.uniform(keys[4], shape)
    replacement = jnp.where(fate < 0.8, MASK_WORD, jnp.where(fate < 0.9, other, targets))
    return {
        "words": jnp.where(hidden, replacement, jnp.where(present, targets, 0)),
        "sentences": (position >= lengths // 2).astype(jnp.int32),
        "present": present,
        "targets": targets,
        "weights": hidden.astype(jnp.float32),
    }


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
