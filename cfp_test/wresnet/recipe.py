"""How Wide-ResNet is trained: image classification; running statistics are part of the state."""

import jax
import jax.numpy as jnp

from cfp_test.training import (
    LayerPolicy,
    Outcome,
    Recipe,
    batch_factory,
    choose_config,
    state_factory,
    step_factory,
    token_cross_entropy,
)
from cfp_test.wresnet.configs import CONFIGS, with_bottlenecks
from cfp_test.wresnet.model import WideResNet

NORMS = ("batch", "group")


def recipe(
    *,
    num_layer: int = 0,
    batch_size: int = 8,
    config: str = "tiny",
    image_size: int = 0,
    dtype: str = "float32",
    scan: bool = False,
    remat: bool = False,
    accumulation: int = 1,
    norm: str = "batch",
) -> Recipe:
    """Wide-ResNet by configuration (tiny, B, C); 0 keeps what the configuration says.

    num_layer counts bottlenecks; norm is batch or group. With batch norm, accumulation normalises
    each micro-batch by itself, so it is not the same step.
    """
    if norm not in NORMS:
        raise ValueError(f"no norm {norm!r}; choose one of: {', '.join(NORMS)}.")
    chosen = choose_config(CONFIGS, config, image_size=image_size)
    chosen = with_bottlenecks(chosen, num_layer) if num_layer else chosen
    model = WideResNet(chosen, jnp.dtype(dtype), LayerPolicy(scan, remat), norm)

    def sample(key):
        image_key, label_key = jax.random.split(key)
        shape = (batch_size, chosen.image_size, chosen.image_size, 3)
        labels = jax.random.randint(label_key, (batch_size,), 0, chosen.classes)
        return {"images": jax.random.normal(image_key, shape), "labels": labels}

    def init(key):
        variables = model.init(key, sample(key)["images"])
        return variables["params"], variables.get("batch_stats", {})

    def loss(params, statistics, batch, rng):
        variables = {"params": params, "batch_stats": statistics}
        logits, kept = model.apply(variables, batch["images"], mutable=["batch_stats"])
        total = token_cross_entropy(logits, batch["labels"])
        correct = (logits.argmax(-1) == batch["labels"]).sum().astype(jnp.float32)
        statistics = kept.get("batch_stats", {})
        return Outcome(total, jnp.float32(batch["labels"].size), statistics, {"accuracy": correct})

    return Recipe(init, loss, sample, accumulation)


train_step = step_factory(recipe)
init_state = state_factory(recipe)
sample_batch = batch_factory(recipe)
