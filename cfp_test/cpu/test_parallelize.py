"""cfp.parallelize on every kind of step: the same losses as the plain step, step after step."""

import functools
import inspect
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from flax.training.train_state import TrainState
from jax.sharding import NamedSharding, PartitionSpec

import cfp

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).resolve().parents[2]
STEPS = 3
PLAN = "data:4 x megatron:2 + fsdp"
X = jnp.sin(jnp.arange(64.0)).reshape(8, 8)
ADAM = optax.adam(1e-2)


def parameters(key=None):
    first, second = jax.random.split(jax.random.key(0) if key is None else key)
    return {"w": jax.random.normal(first, (8, 16)), "v": jax.random.normal(second, (16, 4))}


def loss(params, x):
    return jnp.mean((jnp.tanh(x @ params["w"]) @ params["v"]) ** 2)


def sgd(params, x):
    value, gradients = jax.value_and_grad(loss)(params, x)
    return jax.tree.map(lambda w, g: w - 0.1 * g, params, gradients), value


class State(NamedTuple):
    """Parameters, the optimizer's state, and the key of the noise."""

    params: dict
    optimizer: tuple
    key: jax.Array


def start(key=None) -> State:
    params = parameters(key)
    return State(params, ADAM.init(params), jax.random.key(1))


def with_optax(state, x):
    key, noise = jax.random.split(state.key)
    x = x + 0.1 * jax.random.normal(noise, x.shape)
    value, gradients = jax.value_and_grad(loss)(state.params, x)
    updates, optimizer = ADAM.update(gradients, state.optimizer)
    return State(optax.apply_updates(state.params, updates), optimizer, key), value


def scanned(params, x):
    def layer(x, _):
        return jnp.tanh(x @ params["w"] @ params["w"].T), None

    def deep(params):
        return jnp.mean(jax.lax.scan(layer, x, length=3)[0] @ params["w"]) ** 2

    value, gradients = jax.value_and_grad(deep)(params)
    return jax.tree.map(lambda w, g: w - 0.1 * g, params, gradients), value


def recomputed(params, x):
    value, gradients = jax.value_and_grad(jax.checkpoint(loss))(params, x)
    return jax.tree.map(lambda w, g: w - 0.1 * g, params, gradients), value


def accumulated(params, x):
    def add(total, micro):
        value, gradients = jax.value_and_grad(loss)(params, micro)
        return jax.tree.map(jnp.add, total, gradients), value

    zeros = jax.tree.map(jnp.zeros_like, params)
    gradients, values = jax.lax.scan(add, zeros, x.reshape(2, 4, 8))
    return jax.tree.map(lambda w, g: w - 0.05 * g, params, gradients), values.mean()


class Dense(nn.Module):
    """One layer."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(4)(nn.gelu(nn.Dense(16)(x)))


def linen_state() -> TrainState:
    model = Dense()
    params = model.init(jax.random.key(0), X)
    return TrainState.create(apply_fn=model.apply, params=params, tx=ADAM)


def with_linen(state, x):
    def mean(params):
        return jnp.mean(state.apply_fn(params, x) ** 2)

    value, gradients = jax.value_and_grad(mean)(state.params)
    return state.apply_gradients(grads=gradients), value


def calling_a_jitted(params, x):
    return jax.jit(sgd)(params, x)


STATEFUL = {
    "sgd": (sgd, parameters),
    "with_optax": (with_optax, start),
    "scanned": (scanned, parameters),
    "recomputed": (recomputed, parameters),
    "accumulated": (accumulated, parameters),
    "with_linen": (with_linen, linen_state),
    "jitted": (jax.jit(sgd), parameters),
    "partial": (functools.partial(sgd), parameters),
    "calling a jitted": (calling_a_jitted, parameters),
}


def losses(step, state, *batch) -> list[float]:
    values = []
    for _ in range(STEPS):
        state, value = step(state, *batch)
        values.append(float(value))
    return values


def same(found, expected) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert len(set(expected)) == STEPS, "the step does not train"


@pytest.mark.parametrize("name", STATEFUL)
def test_losses_are_those_of_the_plain_step(name: str) -> None:
    fun, state = STATEFUL[name]
    step = cfp.parallelize(fun, plan=PLAN)
    same(losses(step, state(), X), losses(jax.jit(fun), state(), X))


@pytest.mark.parametrize("plan", ["replicated", "fsdp", PLAN])
def test_donated_state(plan: str) -> None:
    step = cfp.parallelize(sgd, plan=plan, donate_argnums=0)
    same(losses(step, parameters(), X), losses(jax.jit(sgd), parameters(), X))


def test_what_a_jitted_step_donates_is_donated() -> None:
    jitted = jax.jit(sgd, donate_argnames="params")
    step = cfp.parallelize(jitted, plan=PLAN)
    placed, _ = step(parameters(), X)
    step(placed, X)
    assert all(one.is_deleted() for one in jax.tree.leaves(placed))


# ---- arguments


def flexible(params, x, power, *, mode="mean", scale=1.0):
    value, gradients = jax.value_and_grad(lambda w: scale * loss(w, x) ** power)(params)
    value = value if mode == "mean" else -value
    return jax.tree.map(lambda w, g: w - 0.1 * g, params, gradients), value


@pytest.mark.parametrize(
    "choice",
    [
        {"static_argnums": 2, "static_argnames": "mode"},
        {"static_argnums": -1, "static_argnames": ("mode",)},
        {"static_argnames": ["power", "mode"]},
    ],
)
def test_static_arguments_and_keywords(choice) -> None:
    keywords = {"mode": "negative", "scale": jnp.float32(2)}
    step = cfp.parallelize(flexible, plan=PLAN, **choice)
    _, value = step(parameters(), X, 2, **keywords)
    np.testing.assert_allclose(value, -2 * loss(parameters(), X) ** 2, rtol=1e-5)
    _, value = step(parameters(), x=X, power=2, **keywords)
    np.testing.assert_allclose(value, -2 * loss(parameters(), X) ** 2, rtol=1e-5)


def test_one_program_for_each_kind_of_arguments() -> None:
    traced = []

    def powered(w, x, power):
        traced.append((len(x), power))
        return (x @ w) ** power

    w = parameters()["w"]
    step = cfp.parallelize(powered, plan="data", static_argnames="power")
    for x in (X, X + 1, np.asarray(X), jax.ShapeDtypeStruct(X.shape, X.dtype)):
        step.lower(w, x, 2)
        step.lower(w, power=2, x=x)
    assert traced == [(8, 2)]
    longer = jnp.concatenate([X, X])
    np.testing.assert_allclose(step(w, longer, 2), powered(w, longer, 2), rtol=1e-5)
    step.lower(w, longer, power=3)
    assert list(dict.fromkeys(traced)) == [(8, 2), (16, 2), (16, 3)]
    assert step.plan.storage[1].shape == (16, 8)


def test_arguments_that_lie_elsewhere_are_moved() -> None:
    step = cfp.parallelize(sgd, plan=PLAN)
    expected = losses(jax.jit(sgd), parameters(), X)
    mesh = jax.make_mesh((8,), ("a",), axis_types=(jax.sharding.AxisType.Auto,))
    elsewhere = NamedSharding(mesh, PartitionSpec(None, "a"))
    on_one = jax.device_put(parameters(), jax.devices()[5])
    same(losses(step, on_one, np.asarray(X)), expected)
    same(losses(step, parameters(), jax.device_put(X, elsewhere)), expected)


# ---- the callable


def test_it_looks_like_the_step() -> None:
    step = cfp.parallelize(sgd, plan="data")
    assert step.__name__ == "sgd"
    assert inspect.signature(step) == inspect.signature(sgd)


def test_decorators() -> None:
    decorated = cfp.parallelize(plan=PLAN)(sgd)
    same(losses(decorated, parameters(), X), losses(jax.jit(sgd), parameters(), X))
    assert decorated.plan.name == PLAN

    @cfp.parallelize
    def bare(params, x):
        return sgd(params, x)

    with pytest.raises(cfp.CfpError, match="step `bare` is given no plan"):
        bare(parameters(), X)


class Trainer:
    """A method that reads what its owner holds; owners are told apart, whatever they equal."""

    def __init__(self, rate):
        self.rate = rate

    def __eq__(self, other):
        return True

    __hash__ = None

    def plain(self, params, x):
        value, gradients = jax.value_and_grad(loss)(params, x)
        return jax.tree.map(lambda w, g: w - self.rate * g, params, gradients), value

    step = cfp.parallelize(plain, plan=PLAN, donate_argnums=1)


def test_methods() -> None:
    slow, fast = Trainer(0.1), Trainer(0.2)
    same(losses(slow.step, parameters(), X), losses(slow.plain, parameters(), X))
    same(losses(fast.step, parameters(), X), losses(fast.plain, parameters(), X))
    assert list(inspect.signature(slow.step).parameters) == ["params", "x"]
    assert isinstance(Trainer.step, type(slow.step))


def test_lower_gives_the_program() -> None:
    step = cfp.parallelize(sgd, plan=PLAN)
    lowered = step.lower(jax.eval_shape(parameters), X)
    assert "sdy.sharding" in lowered.as_text()


def test_a_saved_plan(tmp_path: Path) -> None:
    path = tmp_path / "step.json"
    named = cfp.parallelize(sgd, plan=PLAN)
    named.lower(parameters(), X)
    named.plan.save(path)
    for given in (path, str(path), cfp.Plan.load(path)):
        step = cfp.parallelize(sgd, plan=given, mesh="data:4 x megatron:2")
        assert step.plan == named.plan
        assert step.lower(parameters(), X).as_text() == named.lower(parameters(), X).as_text()
    same(losses(step, parameters(), X), losses(jax.jit(sgd), parameters(), X))


def test_explain() -> None:
    step = cfp.parallelize(sgd, plan=PLAN)
    step.lower(parameters(), X)
    assert step.explain() == str(step.plan)
    assert step.explain("params").splitlines() == [
        "argument      size  on one device  lies",
        "params['v']  256 B           32 B  dim 0 by megatron, dim 1 by data",
        "params['w']  512 B           64 B  dim 0 by data, dim 1 by megatron",
    ]


@pytest.mark.parametrize("donated", [(), 0])
def test_audit(donated) -> None:
    step = cfp.parallelize(sgd, plan=PLAN, donate_argnums=donated)
    params = step.init(parameters)
    assert step.audit(params, X).ok
    same(losses(step, params, X), losses(jax.jit(sgd), parameters(), X))


# ---- the first state


def test_init_lays_the_state_out_as_the_plan_stores_it() -> None:
    step = cfp.parallelize(with_optax, plan=PLAN)
    lowered = step.lower(jax.eval_shape(start), X)
    state = step.init(start, jax.random.key(0))
    jax.tree.map(np.testing.assert_array_equal, state.params, start(jax.random.key(0)).params)
    shardings = jax.tree.leaves(lowered.compile().input_shardings[0])
    for one, sharding in zip(jax.tree.leaves(state), shardings, strict=False):
        assert one.sharding.is_equivalent_to(sharding, one.ndim)
    same(losses(step, state, X), losses(jax.jit(with_optax), start(), X))


def test_init_before_there_is_a_plan() -> None:
    step = cfp.parallelize(with_optax, plan="data")
    state = step.init(start, jax.random.key(0))
    for one in jax.tree.leaves((state.params, state.optimizer[0].mu)):
        assert one.addressable_shards[0].data.size == one.size // 8
    same(losses(step, state, X), losses(jax.jit(with_optax), start(), X))


# ---- the user's process


def test_the_process_is_left_alone() -> None:
    program = """
import sys, jax, jax.numpy as jnp
before, jit = dict(jax.config.values), jax.jit
import cfp
step = lambda w, x: (w - 0.1 * jax.grad(lambda w: jnp.tanh(x @ w).sum())(w), x.sum())
w, x = jnp.ones((8, 8)), jnp.ones((8, 8))
parallel = cfp.parallelize(step, plan="data x megatron")
parallel(parallel.init(lambda: jnp.ones((8, 8))), x)
parallel.audit(w, x)
print(dict(jax.config.values) == before, jax.jit is jit)
print(sorted({"flax", "equinox", "optax"} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("True True\n[]\n", "")
