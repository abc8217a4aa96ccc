"""A sharded step is called as the user's own, whatever it is given."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P
from numpy.testing import assert_allclose, assert_array_equal

from cfp import _jax, errors
from cfp.ir.layout import AxisCut, Layout, Pin
from cfp.ir.mesh import Mesh
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step

MESH = Mesh.parse("data:4 x model:2")
ROWS = (AxisCut("data", 0),)
COLUMNS = (AxisCut("model", 1),)
W = jnp.sin(jnp.arange(8 * 16.0)).reshape(8, 16)
X = jnp.cos(jnp.arange(8 * 8.0)).reshape(8, 8)
STATE = {"w": W, "count": jnp.int32(0)}


def train(state, x, *, rate=0.1):
    loss, gradient = jax.value_and_grad(lambda w: ((x @ w) ** 2).mean())(state["w"])
    return {"w": state["w"] - rate * gradient, "count": state["count"] + 1}, loss


def laid_out(arguments, results, pins=(), mesh=MESH, made=None):
    return Layout(mesh, (), tuple(arguments), tuple(made or results), tuple(results), pins, ())


def sharded_train(donate=(), kwargs=None):
    """Leaves are in the order of their keys: count, w, x, and rate if it is given."""
    step = trace_step(train, (STATE, X), kwargs, donate_argnums=donate)
    arguments = [(), COLUMNS, ROWS, *([()] if kwargs else [])]
    pins = (Pin("0", (ROWS, COLUMNS), (*ROWS, *COLUMNS)),)
    return shard_step(step, laid_out(arguments, [(), COLUMNS, ()], pins), jax.devices())


def assert_trees_close(got, want):
    assert jax.tree.structure(got) == jax.tree.structure(want)
    jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-5, atol=1e-6), got, want)


# ---- calling


@pytest.mark.parametrize("kind", [jnp.asarray, np.asarray], ids=["jax", "numpy"])
def test_it_is_the_same_step(kind):
    state, x = jax.tree.map(kind, (STATE, X))
    got = sharded_train()(state, x)
    assert_trees_close(got, train(STATE, X))
    assert got[0]["w"].addressable_shards[0].data.shape == (8, 8)


def test_keywords_and_python_numbers_are_arguments():
    sharded = sharded_train(kwargs={"rate": 0.1})
    assert_trees_close(sharded(STATE, X, rate=0.5), train(STATE, X, rate=0.5))


def test_results_are_arguments_of_the_next_call():
    sharded = sharded_train(donate=0)
    state = jax.tree.map(jnp.copy, STATE)
    want = STATE
    for _ in range(3):
        state, loss = sharded(state, X)
        want, want_loss = train(want, X)
        assert_allclose(loss, want_loss, rtol=1e-5)
    assert_trees_close(state, want)


def test_arrays_committed_elsewhere_are_moved():
    sharded = sharded_train()
    other = jax.sharding.Mesh(np.array(jax.devices()[:2]), ("x",), axis_types=(AxisType.Auto,))
    state = jax.device_put(STATE, jax.devices()[5])
    x = jax.device_put(X, NamedSharding(other, P("x")))
    assert_trees_close(sharded(state, x), train(STATE, X))


def test_place_moves_and_runs_nothing():
    sharded = sharded_train()
    placed = sharded.place((STATE, X), {})
    assert [one.sharding for one in placed] == list(sharded.argument_shardings)
    again = sharded.place(
        (jax.tree.unflatten(jax.tree.structure(STATE), placed[:2]), placed[2]), {}
    )
    assert all(a is b for a, b in zip(again, placed, strict=True))


def test_keys_are_arguments_and_results():
    def step(key, x):
        key, now = jax.random.split(key)
        return key, x + jax.random.normal(now, x.shape)

    args = (jax.random.key(3), X)
    layout = laid_out([(), ROWS], [(), (*ROWS, *COLUMNS)])
    sharded = shard_step(trace_step(step, args), layout, jax.devices())
    key, noisy = sharded(*args)
    want_key, want = step(*args)
    assert key == want_key
    assert_allclose(noisy, want, rtol=1e-6)


def test_a_shard_map_is_opaque():
    mesh = jax.make_mesh((8,), ("all",), axis_types=(AxisType.Auto,))

    def step(w, x):
        local = jax.shard_map(
            lambda w, x: jax.lax.psum((x @ w).sum(), "all"),
            mesh=mesh, in_specs=(P(), P("all")), out_specs=P(),
        )  # fmt: skip
        return local(w, x)

    traced = trace_step(step, (W, X))
    (path,) = (one.path for one in traced.equations if one.primitive == "dot_general")
    pins = (Pin(path, (ROWS, COLUMNS), ROWS),)
    sharded = shard_step(traced, laid_out([(), ROWS], [()], pins), jax.devices())
    assert_allclose(sharded(W, X), step(W, X), rtol=1e-5, atol=1e-5)


def test_one_device_is_a_mesh():
    step = trace_step(train, (STATE, X))
    layout = laid_out([()] * 3, [()] * 3, (Pin("0", ((), ()), ()),), Mesh.of_devices(1))
    sharded = shard_step(step, layout, jax.devices()[3:4])
    assert_trees_close(sharded(STATE, X), train(STATE, X))


def test_it_tells_what_each_device_holds():
    sharded = sharded_train()
    sharded.verify()
    text = str(sharded)
    assert text.startswith("step train on data:4 x model:2: 1 pins")
    assert re.search(r"float32\[8,16\] +dim 1 by model +\(8, 8\) +state\['w'\]", text)
    wrong = dataclasses.replace(sharded, layout=laid_out([(), COLUMNS, ROWS], [()] * 3))
    with pytest.raises(errors.InconsistentError, match=r"\(8, 8\) of result.*says \(8, 16\)"):
        wrong.verify()


def test_it_is_compiled_once():
    sharded = sharded_train()
    assert sharded.compile() is sharded.compile()


def test_constraints_are_named_after_their_equation():
    sharded = sharded_train()
    text = sharded.lower().as_text(debug_info=True)
    names = re.findall(r'loc\("([^"]*/sharding_constraint)"', text)
    paths = {re.findall(r"cfp:([\d/]+)\)*/sharding_constraint$", name)[0] for name in names}
    jaxpr = sharded.step.jaxpr.jaxpr
    makers = {_jax.path_of(eqn) for eqn in jaxpr.eqns if set(eqn.outvars) & set(jaxpr.outvars)}
    assert paths == {"0"} | makers


def test_the_process_is_left_alone():
    before = dict(jax.config.values)
    sharded_train()(STATE, X)
    assert dict(jax.config.values) == before


# ---- donation


def test_donated_memory_is_used_again():
    assert sharded_train().compile().memory_analysis().alias_size_in_bytes == 0
    assert sharded_train(donate=0).compile().memory_analysis().alias_size_in_bytes > 0


def test_a_donated_array_in_its_place_is_gone_and_said_so():
    sharded = sharded_train(donate=0)
    state, _ = sharded(STATE, X)
    sharded(state, X)
    with pytest.raises(errors.DonatedArgumentError, match=r"argument state\['count'\] of step"):
        sharded(state, X)


def test_a_donated_array_that_was_moved_stays_good():
    sharded = sharded_train(donate=0)
    everywhere = NamedSharding(sharded.mesh, P())
    for w in (jnp.copy(W), jax.device_put(W, jax.devices()[3]), jax.device_put(W, everywhere)):
        state = {"w": w, "count": jnp.int32(0)}
        for _ in range(2):
            assert_trees_close(sharded(state, X), train(STATE, X))
        assert_array_equal(w, W)


# ---- what does not fit


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        (({"w": W}, X), {}, r"state\['count'\] of step `train` is missing.* int32\[\]"),
        ((STATE, X), {"rate": 0.5}, r"\['rate'\] of .* is float32\[\], .* for none"),
        ((STATE, X[:4]), {}, r"argument x of .* is float32\[4,8\], .* for float32\[8,8\]"),
        ((STATE, X.astype(jnp.bfloat16)), {}, r"argument x of .* is bfloat16\[8,8\]"),
        ((STATE, "x"), {}, r"argument x of .* is of type str"),
        (([W, jnp.int32(0)], X), {}, r"state\['count'\] of .* is missing"),
    ],
    ids=["missing", "extra", "shape", "dtype", "text", "tree"],
)
def test_another_argument_is_named(args, kwargs, words):
    with pytest.raises(errors.OtherArgumentError, match=words):
        sharded_train()(*args, **kwargs)


TRAINED = [(), COLUMNS, ROWS], [(), COLUMNS, ()]


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (laid_out(*TRAINED, (Pin("99", (), None),)), r"equation 99: there is no such"),
        (laid_out(*TRAINED, (Pin("0", ((),), None),)), r"1 operands are pinned, and it has 2"),
        (
            laid_out(*TRAINED, (Pin("0", ((AxisCut("data", 2),), ()), None),)),
            r"operand 0 of equation 0: its dimension 2 is cut, and it has 2",
        ),
        (laid_out([(), (), (AxisCut("expert", 0),)], TRAINED[1]), r"axis 'expert'"),
        (laid_out([(), (AxisCut("model", 1, 2),), ()], TRAINED[1]), r"\['w'\].* 2 major parts"),
        (laid_out([()], TRAINED[1]), r"1 are placed, and there are 3"),
    ],
    ids=["equation", "operands", "dimension", "axis", "parts", "arguments"],
)
def test_a_layout_of_another_step_is_refused(layout, words):
    with pytest.raises(errors.UnfitLayoutError, match=words):
        shard_step(trace_step(train, (STATE, X)), layout, jax.devices())


def test_what_cannot_be_shared_is_told_with_sizes_that_can():
    step = trace_step(train, ({**STATE, "w": W[:6]}, X[:, :6]))
    both = (AxisCut("data", 0), AxisCut("model", 0))
    with pytest.raises(errors.IndivisibleError, match=r"dimension 0 of argument .* 6 .* 8 devices"):
        shard_step(step, laid_out([(), both, ()], TRAINED[1]), jax.devices())
    layout = laid_out([()] * 3, [()] * 3, (Pin("0", ((), ROWS), ()),))
    with pytest.raises(
        errors.IndivisibleError, match=r"operand 1 of equation 0 has 6 .* 4 devices"
    ):
        shard_step(step, layout, jax.devices())


def test_other_devices_than_places_are_refused():
    with pytest.raises(errors.DeviceCountError, match=r"has 8 places .* 3 devices"):
        shard_step(trace_step(train, (STATE, X)), laid_out(*TRAINED), jax.devices()[:3])
