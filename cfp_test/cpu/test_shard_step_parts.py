"""Cuts inside major parts: fused projections are computed part by part, and nothing is moved."""

import re
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from numpy.testing import assert_allclose

from cfp import _jax
from cfp.ir.layout import AxisCut, Layout, Pin
from cfp.ir.mesh import Mesh
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.runtime.unfolded.form import form_of, unfolded_cuts, unfolded_shape
from cfp_test.cpu.compiled_collectives import read_collectives
from cfp_test.cpu.partitioned_products import compile_and_read
from cfp_test.cpu.random_layouts import products
from cfp_test.gpt import init_state, sample_batch, train_step

WIDTH, HEADS, DEVICES = 32, 4, 4


# ---- attention with one weight for queries, keys and values


def with_split(fused):
    return jnp.split(fused, 3, axis=-1)


def with_slices(fused):
    width = fused.shape[-1] // 3
    return [lax.slice_in_dim(fused, i * width, (i + 1) * width, axis=2) for i in range(3)]


def with_reshape(fused):
    parts = fused.reshape(*fused.shape[:2], 3, -1)
    return [parts[:, :, i] for i in range(3)]


def attention_step(take_apart, run):
    def attend(x, w):
        query, key, value = (
            part.reshape(*x.shape[:2], HEADS, -1) for part in take_apart(x @ w["qkv"] + w["bias"])
        )
        weights = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", query, key))
        mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
        return x + jnp.einsum("bqhd,hdo->bqo", mixed, w["out"])

    def step(weights, x):
        loss, gradients = jax.value_and_grad(lambda w: (run(attend, x, w) ** 2).mean())(weights)
        return jax.tree.map(lambda w, g: w - 0.1 * g, weights, gradients), loss

    return step


def unrolled(layer, x, weights):
    for number in range(2):
        x = layer(x, jax.tree.map(lambda w, number=number: w[number], weights))
    return x


def scanned(layer, x, weights):
    return lax.scan(jax.checkpoint(lambda x, w: (layer(x, w), None)), x, weights)[0]


def attention_arguments():
    random = np.random.RandomState(0)
    shapes = {
        "qkv": (2, WIDTH, 3 * WIDTH),
        "bias": (2, 3 * WIDTH),
        "out": (2, HEADS, WIDTH // HEADS, WIDTH),
    }
    weights = {name: random.randn(*shape).astype("f") / 6 for name, shape in shapes.items()}
    return weights, random.randn(2, 8, WIDTH).astype("f")


def by_heads(step, fused):
    """Every product cut on its heads: in three parts where they are fused."""
    layout = Layout(
        mesh=Mesh.parse("model:4"),
        values=(),
        arguments=((),) * len(step.arguments),
        made=((),) * len(step.results),
        results=((),) * len(step.results),
        pins=tuple(_pin_of_heads(eqn, fused) for eqn in products(step.jaxpr.jaxpr)),
        transfers=(),
    )
    return layout, shard_step(step, layout, jax.devices()[:DEVICES])


def _pin_of_heads(eqn, fused):
    arrays = [atom.aval.shape for atom in (*eqn.invars, *eqn.outvars)]
    if not any(fused in shape or HEADS in shape for shape in arrays):
        return Pin(_jax.path_of(eqn), (None, None), None)
    left, right, result = (_cuts_of_heads(shape, fused) for shape in arrays)
    return Pin(_jax.path_of(eqn), (left, right), result)


def _cuts_of_heads(shape, fused):
    if fused in shape:
        return (AxisCut("model", shape.index(fused), 3),)
    return (AxisCut("model", shape.index(HEADS)),) if HEADS in shape else ()


def check_program(step, layout, sharded):
    """Every product has its part of the work, and no value is sent to where it should have been."""
    compiled, found = compile_and_read(sharded.lower())
    whole = {_jax.path_of(eqn): eqn for eqn in products(step.jaxpr.jaxpr)}
    for pin in layout.pins:
        if pin.result is not None:
            arrays = [*whole[pin.path].invars, *whole[pin.path].outvars]
            cuts = (*pin.operands, pin.result)
            parts = [DEVICES if one else 1 for one in cuts]
            sizes = [prod(atom.aval.shape) for atom in arrays]
            local = [prod(shape) for shape in found[pin.path]]
            assert local == [size // part for size, part in zip(sizes, parts, strict=True)]
    assert any(cut.outer == 3 for pin in layout.pins for cut in pin.result or ())
    kinds = {one.kind for one in read_collectives(compiled.as_text())}
    assert kinds <= {"all-reduce", "all-gather"}
    return compiled


def assert_same(results, want):
    for got, one in zip(results, jax.tree.leaves(want), strict=True):
        assert_allclose(got, one, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("run", [unrolled, scanned])
@pytest.mark.parametrize("take_apart", [with_split, with_slices, with_reshape])
def test_fused_projections_are_cut_each_on_its_own(take_apart, run):
    function, args = attention_step(take_apart, run), attention_arguments()
    step = trace_step(function, args)
    layout, sharded = by_heads(step, 3 * WIDTH)
    compiled = check_program(step, layout, sharded)
    assert_same(compiled(*sharded.place(args, {})), function(*args))


@pytest.mark.slow
@pytest.mark.parametrize("scan", [False, True])
def test_gpt_with_fused_projections(scan):
    flags = {"num_layer": 1, "fused_qkv": True, "scan": scan, "remat": scan}
    function, abstract = train_step(**flags)
    step = trace_step(function, abstract)
    layout, sharded = by_heads(step, 192)
    compiled = check_program(step, layout, sharded)
    init, sample = init_state(**flags), sample_batch(**flags)
    args = (jax.jit(init)(jax.random.key(0)), sample(jax.random.key(1)))
    got = compiled(*sharded.place(args, {}))
    want = jax.tree.leaves(jax.jit(function)(*args))
    # The gradient of key biases is noise, of which AdamW makes whole updates: compare moments.
    compared = [i for i, one in enumerate(step.results) if re.search(r"\.mu|loss", one.name)]
    assert len(compared) > 10
    assert_same([got[i] for i in compared], [want[i] for i in compared])


# ---- every rule, on one device: what is computed in parts is what was computed as a whole

X = jnp.sin(jnp.arange(4 * 12.0)).reshape(4, 12)
W = jnp.cos(jnp.arange(12 * 12.0)).reshape(12, 12)
IN_3 = (AxisCut("model", 1, 3),)
CHAINS = {
    "split": lambda y: jnp.split(y, 3, axis=1),
    "split in two": lambda y: jnp.split(y, 2, axis=1),
    "split of rows": lambda y: jnp.split(jnp.split(y, 2, axis=0)[1], 3, axis=1),
    "slices": lambda y: (y[:, 4:8], y[1:3, 8:], y[::2, :4], y[:, 2:6]),
    "elementwise": lambda y: jnp.split(jnp.tanh(y) * 2 + jnp.ones((1, 12)), 3, axis=1),
    "bias": lambda y: jnp.split(jnp.where(y > 0, y, y.sum(1, keepdims=True)), 3, axis=1),
    "transpose": lambda y: jnp.split(y.T, 3, axis=0),
    "reduce": lambda y: (y.sum(0), y.max(1), jnp.split(y.sum(0), 3)),
    "into parts": lambda y: y.reshape(4, 3, 4)[:, 1],
    "into heads": lambda y: jnp.split(y.reshape(2, 2, 6, 2), 3, axis=2),
    "out of heads": lambda y: jnp.split(y.reshape(4, 6, 2).reshape(4, 12), 3, axis=1),
    "squeeze": lambda y: jnp.split(y.reshape(1, 4, 12)[0], 3, axis=1),
    "concatenate": lambda y: jnp.concatenate(jnp.split(y, 3, axis=1)[::-1], axis=1) @ W,
    "of rows": lambda y: jnp.split(jnp.concatenate([y, y], axis=0), 3, axis=1),
    "gradient": jax.grad(lambda y: (y[:, 4:8] ** 2).sum() + (y[:, 8:] ** 3).sum()),
    "no rule": lambda y: jnp.cumsum(y, axis=1),
    "result": lambda y: y,
}


@pytest.mark.parametrize("chain", CHAINS)
def test_parts_compute_what_the_whole_does(chain):
    def function(x, w):
        return CHAINS[chain](x @ w)

    step = trace_step(function, (X, W))
    first, *others = products(step.jaxpr.jaxpr)
    pins = (
        Pin(_jax.path_of(first), ((), IN_3), IN_3),
        *(Pin(_jax.path_of(eqn), (IN_3, (AxisCut("model", 0, 3),)), IN_3) for eqn in others),
    )
    whole = ((),) * len(step.results)
    layout = Layout(Mesh.parse("model:1"), (), ((), ()), whole, whole, pins, ())
    sharded = shard_step(step, layout, jax.devices()[:1])
    assert_same(jax.tree.leaves(sharded(X, W)), function(X, W))


@pytest.mark.parametrize(
    "name", ["split", "elementwise", "transpose", "reduce", "into heads", "out of heads", "squeeze"]
)
def test_values_stay_in_parts_until_they_are_taken_apart(name):
    step = trace_step(lambda x, w: CHAINS[name](x @ w), (X, W))
    (eqn,) = products(step.jaxpr.jaxpr)
    whole = ((),) * len(step.results)
    pins = (Pin(_jax.path_of(eqn), (None, IN_3), IN_3),)
    layout = Layout(Mesh.parse("model:1"), (), ((), ()), whole, whole, pins, ())
    traced = shard_step(step, layout, jax.devices()[:1]).jitted.trace(X, W)
    shapes = [one.aval.shape for eqn in traced.jaxpr.eqns for one in eqn.outvars]
    assert (4, 3, 4) in shapes
    assert shapes.count((4, 12)) == (1 if name == "reduce" else 0)


def test_two_dimensions_in_parts():
    def function(x, w):
        y = x.T @ w  # [24, 12], each in 3 parts
        return [jnp.split(row, 3, axis=1) for row in jnp.split(y, 3, axis=0)]

    x = jnp.sin(jnp.arange(12 * 24.0)).reshape(12, 24)
    step = trace_step(function, (x, W))
    (eqn,) = products(step.jaxpr.jaxpr)
    rows, columns = AxisCut("data", 0, 3), AxisCut("model", 1, 3)
    left = AxisCut("data", next(d for d, n in enumerate(eqn.invars[0].aval.shape) if n == 24), 3)
    pins = (Pin(_jax.path_of(eqn), ((left,), (columns,)), (rows, columns)),)
    whole = ((),) * len(step.results)
    layout = Layout(Mesh.parse("data:4 x model:2"), (), ((), ()), whole, whole, pins, ())
    sharded = shard_step(step, layout, jax.devices())
    _, found = compile_and_read(sharded.lower())
    assert sorted(found[_jax.path_of(eqn)][2]) == [2, 2, 3, 3]
    assert_same(jax.tree.leaves(sharded(x, W)), function(x, W))


def test_forms():
    cuts = (AxisCut("data", 0), AxisCut("model", 1, 3), AxisCut("expert", 2))
    assert form_of(cuts) == ((1, 3),)
    assert unfolded_shape((8, 192, 16), ((1, 3),)) == (8, 3, 64, 16)
    assert unfolded_cuts(cuts, ((1, 3),)) == (
        AxisCut("data", 0),
        AxisCut("model", 2),
        AxisCut("expert", 3),
    )
