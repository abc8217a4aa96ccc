"""Parameters of the plain-JAX steps: a dict from name to a random array."""

from collections.abc import Mapping

import jax


def random_weights(
    key: jax.Array, shapes: Mapping[str, tuple[int, ...]], layers: int | None = None
) -> dict[str, jax.Array]:
    """Normal weights scaled by their first dimension; with `layers`, stacked for a scan.

    random_weights(key, {"wx": (64, 192)}, layers=3)["wx"] is [3, 64, 192].
    """
    stack = () if layers is None else (layers,)
    keys = jax.random.split(key, len(shapes))
    return {
        name: jax.random.normal(each, (*stack, *shape)) * shape[0] ** -0.5
        for each, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
