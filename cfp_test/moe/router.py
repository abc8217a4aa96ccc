"""GShard's top-2 router: which token goes to which place of which expert, and with what weight.

For one group of tokens s, experts e and places c:

    gates[s, e]       softmax of the router's logits
    first, second     the two best experts of a token, as one-hot rows
    place             how many earlier tokens chose that expert; second choices queue behind all
                      first ones; from `capacity` on a choice is dropped (the residual carries it)
    combine[s, e, c]  the gate of a choice at its place, the two gates scaled to sum to 1
    balance           experts * sum_e mean(gates[:, e]) * mean(first[:, e]): 1 when even
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Routing(NamedTuple):
    """combine is [group, token, expert, place] and the balance loss a scalar, both float32."""

    combine: jax.Array
    balance: jax.Array


def route_top2(logits: jax.Array, capacity: int) -> Routing:
    """Routes each token to its two best experts; logits are [group, token, expert]."""
    experts = logits.shape[-1]
    gates = jax.nn.softmax(logits.astype(jnp.float32))
    first = jax.nn.one_hot(gates.argmax(-1), experts)
    rest = gates * (1.0 - first)
    second = jax.nn.one_hot(rest.argmax(-1), experts)

    balance = experts * (gates.mean(1) * first.mean(1)).sum(-1).mean()
    queue = first.sum(axis=1, keepdims=True)
    first_gate, second_gate = (gates * first).sum(-1), (gates * second).sum(-1)
    both = first_gate + second_gate + 1e-9
    combine = _seats(first, 0.0, capacity) * (first_gate / both)[..., None, None]
    combine += _seats(second, queue, capacity) * (second_gate / both)[..., None, None]
    return Routing(combine, balance)


def _seats(choice: jax.Array, ahead: jax.Array | float, capacity: int) -> jax.Array:
    """One-hot [group, token, expert, place] of a choice, empty where its expert is full."""
    place = jnp.cumsum(choice, axis=1) - choice + ahead
    seat = jax.nn.one_hot((place * choice).sum(-1).astype(jnp.int32), capacity)
    fits = choice * (place < capacity)
    return fits[..., None] * seat[:, :, None, :]
