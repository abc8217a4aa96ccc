"""cfp.parallelize on objects that hold arrays: flax nnx, changed in place, and equinox modules."""

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import cfp
from cfp.passes.trace_step import trace_step
from cfp.runtime.objects import on_arrays, opened

X = jnp.sin(jnp.arange(64.0)).reshape(8, 8)
STEPS = 3
PLAN = "data:4 x megatron:2 + fsdp"


class Net(nnx.Module):
    """Dropout, statistics, a list of layers, a function, and a count that the step keeps."""

    def __init__(self, rngs):
        self.wide = nnx.Linear(8, 16, rngs=rngs)
        self.norm = nnx.BatchNorm(16, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(16, 16, rngs=rngs), nnx.Linear(16, 4, rngs=rngs)])
        self.activation = nnx.gelu
        self.calls = nnx.Variable(jnp.int32(0))

    def __call__(self, x):
        self.calls[...] += 1
        x = self.drop(self.norm(self.activation(self.wide(x))))
        for layer in self.layers:
            x = layer(x)
        return x


def build(seed=0):
    net = Net(nnx.Rngs(seed))
    return net, nnx.Optimizer(net, optax.sgd(0.1, momentum=0.9), wrt=nnx.Param)


def mean_square(net, x):
    return jnp.mean(net(x) ** 2)


def in_place(net, optimizer, x):
    value, gradients = nnx.value_and_grad(mean_square)(net, x)
    optimizer.update(net, gradients)
    return value


def returning(net, optimizer, x):
    return net, in_place(net, optimizer, x)


def arrays_of(*objects):
    leaves = jax.tree.leaves([nnx.state(one) for one in objects])
    return [jax.random.key_data(one) if _is_key(one) else one for one in leaves]


def _is_key(array):
    return jnp.issubdtype(array.dtype, jax.dtypes.prng_key)


def close(found, expected) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize(("plan", "donated"), [(PLAN, (0, 1)), ("replicated", ())])
def test_nnx_objects_are_updated(plan: str, donated) -> None:
    net, optimizer = build()
    mine, my_optimizer = build()
    kernel = net.wide.kernel
    step = cfp.parallelize(in_place, plan=plan, donate_argnums=donated)
    values = [float(step(net, optimizer, X)) for _ in range(STEPS)]
    expected = [float(nnx.jit(in_place)(mine, my_optimizer, X)) for _ in range(STEPS)]
    np.testing.assert_allclose(values, expected, rtol=1e-4)
    close(arrays_of(net, optimizer), arrays_of(mine, my_optimizer))
    assert net.wide.kernel is kernel
    assert int(net.calls[...]) == int(net.drop.rngs.count[...]) == STEPS
    assert len(step._programs) == 1  # noqa: SLF001 - nobody else tells


def test_a_returned_object_is_the_users_own() -> None:
    net, optimizer = build()
    step = cfp.parallelize(returning, plan=PLAN)
    returned, _ = step(net, optimizer, X)
    assert returned is net


def in_a_tree(models, x):
    return sum(mean_square(net, x) for net in models["nets"]), models["shared"]


def test_shared_objects_stay_shared() -> None:
    net, _ = build()
    models = {"nets": [net, net], "shared": net.wide}
    step = cfp.parallelize(in_a_tree, plan=PLAN)
    mine, _ = build()
    expected, _ = nnx.jit(in_a_tree)({"nets": [mine, mine], "shared": mine.wide}, X)
    value, wide = step(models, X)
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    assert wide is net.wide
    assert int(net.calls[...]) == 2


def functional(graphdef, state, x):
    net = nnx.merge(graphdef, state)
    value, gradients = nnx.value_and_grad(mean_square)(net, x)
    state = jax.tree.map(lambda w, g: w - 0.1 * g, nnx.state(net, nnx.Param), gradients)
    nnx.update(net, state)
    return nnx.state(net), value


def test_nnx_state_passed_by_hand() -> None:
    graphdef, state = nnx.split(build()[0])
    step = cfp.parallelize(functional, plan=PLAN)
    mine = state
    for _ in range(STEPS):
        state, value = step(graphdef, state, X)
        mine, expected = jax.jit(functional)(graphdef, mine, X)
        np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_nnx_arrays_have_the_names_of_attributes() -> None:
    with opened((*build(), X), {}) as call:
        step = trace_step(on_arrays(in_place, "in_place"), *call)
    names = [one.name for one in step.arguments]
    assert {"net.layers[1].kernel", "optimizer.opt_state[0].trace.wide.bias", "x"} <= set(names)
    assert [one.name for one in step.results] == [
        *(f"result.{name}" for name in names[:-1]),
        "result",
    ]
    assert [one.continues for one in step.results] == [*range(len(names) - 1), -1]


def test_init_lays_nnx_objects_out_as_they_will_stay() -> None:
    step = cfp.parallelize(in_place, plan=PLAN)
    step.lower(*nnx.eval_shape(build), X)
    net, optimizer = step.init(build)
    places = placements(net, optimizer)
    assert sum(not one.is_fully_replicated for one in places) >= 4
    mine, my_optimizer = build()
    expected = nnx.jit(in_place)(mine, my_optimizer, X)
    np.testing.assert_allclose(step(net, optimizer, X), expected, rtol=1e-4)
    assert placements(net, optimizer) == places


def placements(*objects):
    return [one.sharding for one in jax.tree.leaves([nnx.state(one) for one in objects])]


class Trained(nnx.Module):
    """A module that trains itself."""

    def __init__(self):
        self.net = Net(nnx.Rngs(0))

    def plain(self, x):
        value, gradients = nnx.value_and_grad(mean_square)(self.net, x)
        moved = jax.tree.map(lambda w, g: w - 0.1 * g, nnx.state(self.net, nnx.Param), gradients)
        nnx.update(self.net, moved)
        return value


def test_a_method_of_an_nnx_module() -> None:
    Trained.step = cfp.parallelize(Trained.plain, plan=PLAN)
    trained, mine = Trained(), Trained()
    for _ in range(STEPS):
        np.testing.assert_allclose(trained.step(X), nnx.jit(Trained.plain)(mine, X), rtol=1e-4)
    close(arrays_of(trained), arrays_of(mine))


# ---- equinox


class Mlp(equinox.Module):
    """Functions, texts and numbers beside the arrays, some declared static and some not."""

    layers: list
    activation: object
    scale: float
    name: str
    width: int = equinox.field(static=True)

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.layers = [equinox.nn.Linear(8, 16, key=first), equinox.nn.Linear(16, 4, key=second)]
        self.activation = jax.nn.gelu
        self.scale = 0.5
        self.name = "mlp"
        self.width = 16

    def __call__(self, x):
        if self.scale > 0:  # a number, and so part of the program
            x = x * self.scale
        return self.layers[1](self.activation(self.layers[0](x)))

    def plain(self, x):
        return jnp.mean(jax.vmap(self)(x))


ADAM = optax.adam(1e-2)


def start(key):
    model = Mlp(key)
    return model, ADAM.init(equinox.filter(model, equinox.is_array))


def equinox_step(model, optimizer, x):
    @equinox.filter_value_and_grad
    def loss(model):
        return jnp.mean(jax.vmap(model)(x) ** 2)

    value, gradients = loss(model)
    updates, optimizer = ADAM.update(gradients, optimizer)
    return equinox.apply_updates(model, updates), optimizer, value


def test_equinox_modules() -> None:
    mine = start(jax.random.key(0))
    step = cfp.parallelize(equinox_step, plan=PLAN, donate_argnums=(0, 1))
    yours = step.init(start, jax.random.key(0))
    for _ in range(STEPS):
        *mine, expected = equinox.filter_jit(equinox_step)(*mine, X)
        *yours, value = step(*yours, X)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    model = yours[0]
    assert (model.activation, model.scale, model.name) == (jax.nn.gelu, 0.5, "mlp")
    assert len(step._programs) == 1  # noqa: SLF001 - nobody else tells


def test_a_method_of_an_equinox_module() -> None:
    class Parallel(Mlp):
        """Its method is a step."""

        step = cfp.parallelize(Mlp.plain, plan=PLAN)

    model = Parallel(jax.random.key(0))
    np.testing.assert_allclose(model.step(X), model.plain(X), rtol=1e-5)


def with_an_optimizer(params, state, optimizer, x):
    value, gradients = jax.value_and_grad(lambda w: jnp.mean((x @ w) ** 2))(params)
    updates, state = optimizer.update(gradients, state)
    return optax.apply_updates(params, updates), state, value


def test_functions_among_the_arguments() -> None:
    params = jnp.ones((8, 4))
    args = (params, ADAM.init(params), ADAM, X)
    step = cfp.parallelize(with_an_optimizer, plan=PLAN)
    moved, _, value = step(*args)
    expected, _, other = with_an_optimizer(*args)
    np.testing.assert_allclose(moved, expected, rtol=1e-5)
    np.testing.assert_allclose(value, other, rtol=1e-5)
