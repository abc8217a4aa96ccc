"""Writes the small modules that the tests of the core read: `python cfp_test/native/make_data.py`.

    mlp.hlo.pb             two matrices, their gradients and an update: two blocks
    loop.hlo.pb            four layers in a scan, with gradients: a segment that runs four times
    no_contraction.hlo.pb  an elementwise step: no block

They are kept in git, so that testing the core needs no JAX; run this again when JAX changes.
"""

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

FOLDER = Path(__file__).parent / "data"


def write(name: str, step: Callable, *shapes: tuple[int, ...]) -> None:
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    hlo = jax.jit(step).lower(*arguments).compiler_ir("hlo")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.hlo.pb").write_bytes(hlo.as_serialized_hlo_module_proto())


def trained(loss: Callable) -> Callable:
    """A step of gradient descent on the first argument."""

    def step(weights, *batch):
        gradients = jax.grad(loss)(weights, *batch)
        return jax.tree.map(lambda weight, slope: weight - 0.1 * slope, weights, gradients)

    return step


def mlp(w1, w2, x, y):
    def loss(weights, x, y):
        return ((jax.nn.relu(x @ weights[0]) @ weights[1] - y) ** 2).mean()

    return trained(loss)((w1, w2), x, y)


def loop(w, x, y):
    def loss(w, x, y):
        out, _ = jax.lax.scan(lambda h, layer: (jnp.tanh(h @ layer), None), x, w)
        return ((out - y) ** 2).mean()

    return trained(loss)(w, x, y)


def no_contraction(scale, x):
    return jnp.tanh(scale * x) - scale


if __name__ == "__main__":
    jax.config.update("jax_hlo_source_file_canonicalization_regex", ".*/")  # the file name alone
    write("mlp", mlp, (16, 48), (48, 24), (8, 16), (8, 24))
    write("loop", loop, (4, 16, 16), (8, 16), (8, 16))
    write("no_contraction", no_contraction, (32,), (8, 32))
