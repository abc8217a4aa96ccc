"""Least squares of relative errors, where measurements far off the others count less.

    fit(predicted, measured, believed, start)    the x for which predicted(x) is nearest to measured

Damped Gauss-Newton steps with Huber's weights: an error beyond _FAR times what a measurement is
believed to counts by its size, not by its square. So of 1.00, 1.01, 0.99, 1.00 and 5.0 s, each
believed to 1 %, the last pulls no more than one that is 1.5 % off, and the answer is 1.00 s.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Predicted = Callable[[Array], Array]  # parameters to seconds, all above zero

_NORMAL = 1.4826  # standard deviations of normal errors in their median size
_FAR = 1.5
_STEP = 1e-4  # of a parameter, both ways, to find how times change
_TURNS = 60
_LONGEST = 1.0  # a parameter changes by no more in one turn
_CLOSE = 1e-6  # a step of less than this ends the search, as does a damping of more than
_STUCK = 1e6


def fit(predicted: Predicted, measured: Array, believed: Array, start: Array) -> Array:
    """The parameters; believed is one over the relative error that a measurement may have."""
    found, damping = start, 1e-3
    for _ in range(_TURNS):
        errors = errors_of(predicted, measured, found)
        weights = weights_of(errors, believed)
        shares = shares_of(predicted, found)
        while damping < _STUCK:
            step = _step(shares, errors, weights, damping)
            moved = errors_of(predicted, measured, found + step)
            if weights @ moved**2 <= weights @ errors**2:
                break
            damping *= 8
        else:
            break
        found, damping = found + step, damping / 4
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return found


def errors_of(predicted: Predicted, measured: Array, found: Array) -> Array:
    """Logarithms of predicted over measured: 0.1 is 10 % too long."""
    return np.log(predicted(found)) - np.log(measured)


def spread_of(errors: Array) -> float:
    """The standard deviation of errors of which most are normal."""
    return float(_NORMAL * np.median(np.abs(errors)))


def weights_of(errors: Array, believed: Array) -> Array:
    """What each squared error counts."""
    return believed**2 * _FAR / np.maximum(np.abs(errors) * believed, _FAR)


def shares_of(predicted: Predicted, found: Array) -> Array:
    """A row per time, a column per parameter: how its logarithm changes with the parameter."""
    columns = [
        (np.log(predicted(found + one)) - np.log(predicted(found - one))) / (2 * _STEP)
        for one in _STEP * np.eye(len(found))
    ]
    return np.stack(columns, axis=1)


def standard_errors(shares: Array, weights: Array, spread: float) -> Array:
    """How far off each parameter may be; very far where no time changes with it."""
    normal = _normal(shares, weights / weights.max()) + 1e-12 * np.eye(shares.shape[1])
    inverse = np.asarray(np.linalg.pinv(normal), np.float64)
    return spread * np.sqrt(np.maximum(np.diagonal(inverse), 0.0))


def _step(shares: Array, errors: Array, weights: Array, damping: float) -> Array:
    normal = _normal(shares, weights)
    damped = normal + damping * np.diag(np.diagonal(normal) + 1e-9 * weights.max())
    step = np.asarray(np.linalg.solve(damped, shares.T @ (weights * errors)), np.float64)
    return -np.clip(step, -_LONGEST, _LONGEST)


def _normal(shares: Array, weights: Array) -> Array:
    return shares.T @ (weights[:, None] * shares)
