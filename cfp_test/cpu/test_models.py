"""Every train step trains, and its loops, recomputation and micro-batches change no number.

The oracle for `scan`, `remat` and `accumulation` is the plain step: with the same parameters (the
layers' stacked for a scan) the loss and every gradient must be the same to float tolerance.
"""

import gc
import inspect
import itertools
from collections.abc import Mapping
from functools import partial
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from cfp_test.training.gradients import accumulated_gradients, whole_gradients

MODELS = ("gpt", "bert", "llama2", "moe", "t5", "wresnet")
ZOO = ("gru", "ssm", "linear_attention", "clip", "unet", "lora", "mlp", "no_contraction")
PACKAGES = (*MODELS, *(f"zoo.{name}" for name in ZOO))

# Compiling takes the time here, so networks are short. A stack is two layers (in wresnet: a layer
# beyond each stage's first).
ONE_LAYER = {name: {"num_layer": 1} for name in (*MODELS, "zoo.clip")}
ONE_LAYER["wresnet"] = {"num_layer": 2}
STACK = {name: {"num_layer": 2} for name in MODELS}
STACK["wresnet"] = {"num_layer": 4}
LARGEST = {"gpt": "G", "bert": "G", "llama2": "70B", "moe": "B", "t5": "D", "wresnet": "C"}


def package(name):
    return import_module(f"cfp_test.{name}")


def train(name, steps, **flags):
    """The losses of `steps` steps on one batch."""
    step, args = package(name).train_step(**flags)
    state = jax.jit(package(name).init_state(**flags))(jax.random.key(0))
    batch = package(name).sample_batch(**flags)(jax.random.key(1))
    rest = [jax.random.key(2)] if len(args) == 3 else []
    assert shapes((state, batch)) == shapes(args[:2])

    compiled, losses = jax.jit(step), []
    for _ in range(steps):
        state, metrics = compiled(state, batch, *rest)
        losses.append(float(metrics["loss"]))
    assert shapes(state) == shapes(args[0])
    return losses


def shapes(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


@pytest.mark.parametrize("name", PACKAGES)
def test_loss_falls_on_a_fixed_batch(name):
    losses = train(name, steps=4, **ONE_LAYER.get(name, {}))
    assert np.isfinite(losses).all()
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("gpt", {"dropout": 0.1, "scan": True, "tied": False, "fused_qkv": True}),
        ("moe", {"dropout": 0.1, "expert_every": 2, "dtype": "bfloat16", "scan": True}),
        ("llama2", {"num_kv_heads": 1, "dtype": "bfloat16", "scan": True}),
    ],
)
def test_variants_train_too(name, flags):
    losses = train(name, steps=3, **STACK[name], **flags)
    assert losses == sorted(losses, reverse=True)


def mean_gradients(recipe, gradients_of, params):
    """(loss, gradients) of one batch."""
    _, statistics = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), init_shapes(recipe))
    batch = recipe.sample(jax.random.key(1))
    found, outcome = jax.jit(partial(gradients_of, recipe))(params, statistics, batch, None)
    return outcome.total / outcome.weight, found


def init_shapes(recipe):
    return jax.eval_shape(recipe.init, jax.random.key(0))


def model_recipe(name, **flags):
    return import_module(f"cfp_test.{name}.recipe").recipe(**STACK[name], **flags)


def fresh_params(recipe):
    return jax.jit(recipe.init)(jax.random.key(0))[0]


@pytest.mark.parametrize("name", MODELS)
def test_scan_remat_and_accumulation_change_no_gradient(name):
    flags = {"norm": "group"} if name == "wresnet" else {}
    plain = model_recipe(name, **flags)
    looped = model_recipe(name, scan=True, remat=True, accumulation=2, **flags)
    params = fresh_params(plain)
    loss, expected = mean_gradients(plain, whole_gradients, params)
    structure, _ = init_shapes(looped)
    looped_params = stack_layers(params, structure)
    looped_loss, found = mean_gradients(looped, accumulated_gradients, looped_params)
    np.testing.assert_allclose(looped_loss, loss, rtol=1e-5)
    assert_same(found, stack_layers(expected, structure))


def test_remat_changes_no_gradient_through_batch_norm():
    plain, recomputed = model_recipe("wresnet"), model_recipe("wresnet", remat=True)
    params = fresh_params(plain)
    loss, expected = mean_gradients(plain, whole_gradients, params)
    recomputed_loss, found = mean_gradients(recomputed, whole_gradients, params)
    np.testing.assert_allclose(recomputed_loss, loss, rtol=1e-6)
    assert_same(found, expected)


def stack_layers(unrolled, scanned):
    """The leaves of an unrolled model's tree in the structure of the scanned model's tree."""
    stacked = _stack(_as_dict(unrolled), _as_dict(scanned))
    return jax.tree.unflatten(jax.tree.structure(scanned), jax.tree.leaves(stacked))


def _as_dict(tree):
    return nnx.to_pure_dict(tree) if isinstance(tree, nnx.State) else tree


def _stack(unrolled, scanned):
    """{"layer_0": a, "layer_1": b} and {0: a, 1: b} become stacked where `scanned` says so."""
    if not isinstance(unrolled, Mapping):
        return unrolled
    if 0 in unrolled:
        return _stacked([unrolled[index] for index in sorted(unrolled)])
    return {
        name: _stack(unrolled[name], below) if name in unrolled else _stacked(_run(unrolled, name))
        for name, below in scanned.items()
    }


def _run(unrolled, name):
    names = itertools.takewhile(unrolled.__contains__, (f"{name}_{i}" for i in itertools.count()))
    return [unrolled[each] for each in names]


def _stacked(layers):
    return jax.tree.map(lambda *each: jnp.stack(each), *layers)


def assert_same(found, expected):
    """Equal to float tolerance; a gradient that is 0 in theory is rounding noise in both."""
    noise = 1e-5 * max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(expected))
    equal = partial(np.testing.assert_allclose, rtol=1e-3, atol=noise)
    jax.tree.map(equal, found, expected)


@pytest.mark.parametrize("name", MODELS)
def test_largest_configuration_is_only_shapes(name):
    gc.collect()
    before = live_bytes()
    _, args = package(name).train_step(config=LARGEST[name], dtype="bfloat16")
    leaves = jax.tree.leaves(args)
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in leaves)
    assert sum(leaf.size for leaf in leaves) > 1e9
    assert live_bytes() - before < 2**20


def live_bytes():
    return sum(array.nbytes for array in jax.live_arrays())


@pytest.mark.parametrize("name", PACKAGES)
def test_flags_can_be_read_from_the_signature(name):
    signatures = [
        inspect.signature(getattr(package(name), factory))
        for factory in ("train_step", "init_state", "sample_batch")
    ]
    assert signatures[1:] == signatures[:1] * 2
    for flag in signatures[0].parameters.values():
        assert flag.kind is flag.KEYWORD_ONLY
        assert flag.annotation in {int, float, str, bool}
        assert type(flag.default) is flag.annotation


@pytest.mark.parametrize(
    ("name", "flags", "text"),
    [
        ("gpt", {"config": "Z"}, "no configuration 'Z'; choose one of: tiny, B, C, D, E, F, G."),
        (
            "gpt",
            {"accumulation": 3},
            (
                "accumulation=3 does not cut batch_size=8 into equal micro-batches; "
                "choose a divisor of the batch size."
            ),
        ),
        (
            "moe",
            {"batch_size": 3},
            (
                "3 sequences of 32 tokens are 96 tokens, not a multiple of the routing group "
                "of 64; change batch_size, accumulation or seq_len."
            ),
        ),
        (
            "moe",
            {"expert_every": 3},
            "4 layers do not split into groups of expert_every=3; choose a divisor.",
        ),
        (
            "llama2",
            {"num_kv_heads": 5},
            "12 query heads do not split evenly over num_kv_heads=5; choose a divisor.",
        ),
        ("wresnet", {"norm": "layer"}, "no norm 'layer'; choose one of: batch, group."),
        ("wresnet", {"num_layer": 1}, "num_layer=1 leaves one of the 2 stages empty."),
    ],
)
def test_impossible_flags_are_refused(name, flags, text):
    with pytest.raises(ValueError) as error:  # noqa: PT011  the whole text is compared
        package(name).train_step(**flags)
    assert str(error.value) == text
