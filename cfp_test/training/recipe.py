"""The nouns of training: a Recipe says how a model is trained, an Outcome what one batch gave.

An Outcome keeps sums and the weight they are divided by, not means: micro-batches with different
numbers of targets (masked language models, padding) then add up to exactly the large batch.

    total = 8 * 32 * 6.2   weight = 8 * 32   ->   loss 6.2
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax

PyTree = Any


class Outcome(NamedTuple):
    """The summed loss of one (micro-)batch and what else the forward pass left behind."""

    total: jax.Array
    weight: jax.Array
    statistics: PyTree = {}
    metrics: dict[str, jax.Array] = {}  # sums, divided by the same weight


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    init(key) -> (params, statistics); statistics are kept between steps but have no gradient
    (batch norm), and are an empty dict for most models.
    loss(params, statistics, batch, rng) -> Outcome; rng is None unless `takes_rng`.
    sample(key) -> batch; every array of it has the batch size as its first dimension.
    """

    init: Callable[[jax.Array], tuple[PyTree, PyTree]]
    loss: Callable[[PyTree, PyTree, PyTree, jax.Array | None], Outcome]
    sample: Callable[[jax.Array], PyTree]
    accumulation: int = 1
    takes_rng: bool = False
