"""What every test model needs to become a train step, written once.

    recipe(**flags) -> Recipe          a model package says how its model is trained
    step_factory(recipe)  -> train_step(**flags)   -> (step, abstract_args)
    state_factory(recipe) -> init_state(**flags)   -> init(key) -> state
    batch_factory(recipe) -> sample_batch(**flags) -> sample(key) -> batch

`step(state, batch[, rng]) -> (state, metrics)` is pure and jittable. Nothing here allocates before
`init` or `sample` is called: the factories only ask `jax.eval_shape`.
"""

from cfp_test.training.choose_config import choose_config
from cfp_test.training.cross_entropy import one_hot_cross_entropy, token_cross_entropy
from cfp_test.training.dropout import dropout_rngs
from cfp_test.training.factories import batch_factory, state_factory, step_factory
from cfp_test.training.layer_stack import LayerPolicy, apply_layers
from cfp_test.training.random_text import random_text
from cfp_test.training.recipe import Outcome, Recipe
from cfp_test.training.train_state import TrainState

__all__ = [
    "LayerPolicy",
    "Outcome",
    "Recipe",
    "TrainState",
    "apply_layers",
    "batch_factory",
    "choose_config",
    "dropout_rngs",
    "one_hot_cross_entropy",
    "random_text",
    "state_factory",
    "step_factory",
    "token_cross_entropy",
]
