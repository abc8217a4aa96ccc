"""Dropout's random numbers, in the form flax linen wants them."""

import jax


def dropout_rngs(rng: jax.Array | None) -> dict[str, jax.Array] | None:
    """The `rngs` argument of a linen apply; None where nothing is dropped."""
    return None if rng is None else {"dropout": rng}
