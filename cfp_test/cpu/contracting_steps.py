"""Small train steps, one per construct that a contraction can stand in: (step, arguments) by name.

All sizes are multiples of 8, so every dimension can be cut by every axis of a mesh of 2 x 2 x 2;
the number of layers or micro-batches, 2, leads.
"""

from functools import partial

import jax
import jax.numpy as jnp


def layer(h, weights):
    up, down = weights
    return h + jnp.tanh(h @ up) @ down


def loss_of(apply):
    return lambda weights, x: (apply(weights, x) ** 2).mean()


def update_of(apply):
    """A step of gradient descent; the weights' old values come in, their new ones go out."""

    def step(weights, x):
        loss, gradients = jax.value_and_grad(loss_of(apply))(weights, x)
        return jax.tree.map(lambda w, g: w - 0.5 * g, weights, gradients), loss

    return step


def one_after_another(each, weights, x):
    for number in range(2):
        x = each(x, jax.tree.map(lambda w, number=number: w[number], weights))
    return x


def scanned(each, weights, x):
    return jax.lax.scan(lambda h, w: (each(h, w), None), x, weights)[0]


def branching(weights, x):
    first = jax.tree.map(lambda w: w[0], weights)
    second = jax.tree.map(lambda w: w[1], weights)
    return jax.lax.cond(
        x.sum() > 0, lambda: layer(layer(x, first), second), lambda: layer(x, second)
    )


def accumulating(weights, x):
    def add(sums, micro):
        gradients = jax.grad(loss_of(partial(one_after_another, layer)))(weights, micro)
        return jax.tree.map(jnp.add, sums, gradients), None

    zeros = jax.tree.map(jnp.zeros_like, weights)
    return jax.lax.scan(add, zeros, x.reshape(2, 8, 16))[0]


def looping(weights, x):
    def body(state):
        number, h = state
        return number + 1, layer(h, jax.tree.map(lambda w: w[number % 2], weights))

    def more(state):
        return (state[0] < 3) & ((state[1] @ weights[0][0]).sum() < 1e6)

    return jax.lax.while_loop(more, body, (0, x))


@jax.custom_vjp
def clipped_product(x, w):
    return x @ w


clipped_product.defvjp(
    lambda x, w: (x @ w, (x, w)),
    lambda kept, given: (jnp.clip(given @ kept[1].T, -1, 1), kept[0].T @ given),
)


def with_own_gradient(h, weights):
    up, down = weights
    return h + clipped_product(jnp.tanh(clipped_product(h, up)), down)


def per_head(h, weights):
    """Products with batch dimensions."""
    up, down = weights
    heads = (h @ up).reshape(2, 8, 8, 4)
    scores = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", heads, heads))
    mixed = jnp.einsum("bhqk,bkhd->bqhd", scores, heads)
    return h + mixed.reshape(16, 32) @ down


WEIGHTS = (
    jnp.sin(jnp.arange(2 * 16 * 32.0)).reshape(2, 16, 32) / 4,
    jnp.cos(jnp.arange(2 * 32 * 16.0)).reshape(2, 32, 16) / 4,
)
X = jnp.sin(jnp.arange(16 * 16.0) / 7).reshape(16, 16)

STEPS = {
    "plain": update_of(partial(one_after_another, layer)),
    "heads": update_of(partial(one_after_another, per_head)),
    "scan": update_of(partial(scanned, layer)),
    "remat": update_of(partial(one_after_another, jax.checkpoint(layer))),
    "scan and remat": update_of(partial(scanned, jax.checkpoint(layer))),
    "accumulation": accumulating,
    "cond": update_of(branching),
    "while": looping,
    "custom vjp": jax.grad(loss_of(partial(one_after_another, with_own_gradient)), argnums=(0, 1)),
    "custom vjp alone": partial(one_after_another, with_own_gradient),
    "nested jit": update_of(partial(one_after_another, jax.jit(layer))),
}
