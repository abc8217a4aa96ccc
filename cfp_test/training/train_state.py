"""The state that a train step takes and returns, and the optimizer that moves it: AdamW."""

from typing import Any, NamedTuple

import optax

PyTree = Any

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-2

OPTIMIZER = optax.adamw(LEARNING_RATE, weight_decay=WEIGHT_DECAY)


class TrainState(NamedTuple):
    """Parameters, AdamW's moments and step count, and statistics (empty but for batch norm)."""

    params: PyTree
    optimizer: PyTree
    statistics: PyTree


def start_training(params: PyTree, statistics: PyTree) -> TrainState:
    """The state before the first step."""
    return TrainState(params, OPTIMIZER.init(params), statistics)


def apply_gradients(state: TrainState, gradients: PyTree, statistics: PyTree) -> TrainState:
    """The state after one AdamW update."""
    updates, optimizer = OPTIMIZER.update(gradients, state.optimizer, state.params)
    return TrainState(optax.apply_updates(state.params, updates), optimizer, statistics)
