"""A plan as plain JAX source: it runs where cfp is not, and is the same program."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxpr_as_fun

from cfp.errors import NoSuchFormError
from cfp.formats.jax_source import to_jax_source
from cfp.ir.layout import AxisCut, Pin
from cfp.ir.mesh import Mesh
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp_test.cpu.contracting_steps import STEPS, WEIGHTS, X
from cfp_test.cpu.mlp_layout import COLUMNS, layout_of, plan_of, traced_mlp, with_pin
from cfp_test.cpu.random_layouts import random_layout
from cfp_test.zoo import mlp

ROOT = Path(__file__).resolve().parents[2]
TABLES = Path(__file__).with_name("mlp_tables.txt")
END_OF_TABLES = "\n\n# ---- what puts them there"


def exported(step, layout):
    """The names that the exported source defines."""
    names = {"__name__": "exported"}
    exec(compile(to_jax_source(step, layout, plan_of(step, layout)), "exported", "exec"), names)
    return names


def real_arguments():
    key = jax.random.key(3)
    return mlp.init_state()(key), mlp.sample_batch()(key)


def assert_close(some, others):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6), some, others)


def test_the_tables_read_well() -> None:
    step = traced_mlp(donate_argnums=0)
    layout = layout_of(step)
    source = to_jax_source(step, layout, plan_of(step, layout))
    assert source.partition(END_OF_TABLES)[0] + "\n" == TABLES.read_text(encoding="utf-8")


WITHOUT_CFP = """\
import sys
sys.modules["cfp"] = None  # import cfp now fails
import jax
import sharded_step
from cfp_test.zoo import mlp

step, abstract = mlp.train_step()
state, batch = mlp.init_state()(jax.random.key(3)), mlp.sample_batch()(jax.random.key(3))
sharded = sharded_step.shard(step, abstract)
for _ in range(2):
    state, metrics = sharded(state, batch)
weight = state.params["first"]
print(weight.sharding.spec, weight.addressable_shards[0].data.shape)
flat = jax.tree.leaves((state, metrics))
jax.numpy.savez(sys.argv[1], *map(jax.device_get, flat))
"""


def test_it_runs_without_cfp(tmp_path: Path) -> None:
    step = traced_mlp()
    layout = layout_of(step)
    source = to_jax_source(step, layout, plan_of(step, layout))
    (tmp_path / "sharded_step.py").write_text(source, encoding="utf-8")
    (tmp_path / "train.py").write_text(WITHOUT_CFP, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(tmp_path / "train.py"), str(tmp_path / "results.npz")],
        env={
            "PYTHONPATH": f"{ROOT}",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=8 "
            "--xla_backend_optimization_level=0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.returncode) == ("P(None, 'model') (64, 64)\n", 0), run.stderr
    found = list(np.load(tmp_path / "results.npz").values())
    state, batch = real_arguments()
    for _ in range(2):
        state, metrics = jax.jit(mlp.train_step()[0])(state, batch)
    assert_close(found, jax.tree.leaves((state, metrics)))


@pytest.mark.parametrize("name", STEPS)
def test_it_is_the_program_that_runs_here(name) -> None:
    step = trace_step(STEPS[name], (WEIGHTS, X))
    layout = random_layout(step, seed=7)
    here = shard_step(step, layout, jax.devices())
    exports = exported(step, layout)
    constrained = exports["constrain"](step.jaxpr.jaxpr, here.mesh)
    there = jax.jit(jaxpr_as_fun(step.jaxpr.replace(jaxpr=constrained)))
    programs = [one.trace(*step.jaxpr.in_avals).jaxpr for one in (here.jitted, there)]
    texts = [without_trailing_nones(str(one)) for one in programs]
    assert "sharding_constraint" in texts[0]
    assert texts[0] == texts[1]


def without_trailing_nones(text):
    """P('a', None) and P('a') are the same spec."""
    return re.sub(r"((?<=\()None|, None|,)+\)", ")", text)


def test_it_computes_what_the_step_computes() -> None:
    step = trace_step(STEPS["scan and remat"], (WEIGHTS, X))
    layout = random_layout(step, seed=1)
    shard = exported(step, layout)["shard"]
    results = shard(jax.jit(STEPS["scan and remat"]), (WEIGHTS, X))(WEIGHTS, X)
    assert_close(results, STEPS["scan and remat"](WEIGHTS, X))
    places = zip(jax.tree.leaves(results), layout.results, strict=True)
    assert all(
        {axis for axes in one.sharding.spec if axes for axis in np.atleast_1d(axes)}
        == {cut.axis for cut in cuts}
        for one, cuts in places
    )


def test_a_state_can_be_made_where_it_will_lie() -> None:
    step = traced_mlp()
    names = exported(step, layout_of(step))
    (state_places, _), _ = names["argument_shardings"](mlp.train_step()[1])
    state = jax.jit(mlp.init_state(), out_shardings=state_places)(jax.random.key(0))
    assert state.params["first"].addressable_shards[0].data.shape == (64, 64)


def thirds(x, w):
    """A fused projection and its three equal parts."""
    q, k, v = jnp.split(x @ w, 3, axis=1)
    return q * k + v


def test_a_cut_inside_parts_unfolds_them() -> None:
    args = jnp.ones((8, 16)), jnp.sin(jnp.arange(16 * 24.0)).reshape(16, 24)
    step = trace_step(thirds, args)
    product = next(one.path for one in step.equations if one.primitive == "dot_general")
    inside = (AxisCut("model", 1, 3),)
    layout = replace(
        layout_of(step),
        mesh=Mesh((("model", 4),)),
        arguments=((), ()),
        made=((),),
        results=((),),
        pins=(Pin(product, (None, inside), inside),),
    )
    names = exported(step, layout)
    assert names["MODEL_1_OF_3"] == names["InParts"]({1: (3,)}, jax.P(None, None, "model"))
    sharded = names["shard"](thirds, args)
    assert_close(sharded(*args), thirds(*args))
    assert moves_of_parts(sharded, args) == set()
    across = replace(layout, pins=(Pin(product, (None, COLUMNS), COLUMNS),))
    assert moves_of_parts(exported(step, across)["shard"](thirds, args), args)


def moves_of_parts(sharded, args):
    program = jax.jit(sharded).lower(*args).compile().as_text()
    return {kind for kind in ("all-to-all", "collective-permute") if f" {kind}(" in program}


def product(x, w):
    return x @ w


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (lambda x, w: (x @ w, x), "takes and gives another number of arrays"),
        (lambda x, w: jnp.exp(x @ w), None),
        (lambda x, w: jnp.exp(x) @ w, "exp stands where the planned step has dot_general"),
        (lambda *args: args[0], "equation 0 of the planned step is not in this one"),
    ],
)
def test_another_step_is_refused_where_it_can_be_told(other, problem) -> None:
    args = jnp.ones((8, 16)), jnp.ones((16, 16))
    step = trace_step(product, args)
    whole = replace(
        layout_of(traced_mlp()),
        arguments=((), ()),
        made=((),),
        results=((),),
        pins=(Pin("0", (None, None), ()),),
    )
    shard = exported(step, whole)["shard"]
    if problem is None:
        assert_close(shard(other, args)(*args), other(*args))
        return
    with pytest.raises(ValueError, match=problem):
        shard(other, args)


def test_what_a_sharding_cannot_say_is_refused() -> None:
    step = traced_mlp()
    layout = layout_of(step)
    inside = replace(layout, arguments=((AxisCut("model", 1, 4),), *layout.arguments[1:]))
    with pytest.raises(NoSuchFormError) as found:
        to_jax_source(step, inside, plan_of(step, layout))
    assert found.value.what.endswith(
        "JAX source: state.params['first'] lies dim 1 by model inside each of 4 parts"
    )


def test_parts_that_are_no_parts_of_each_other_are_refused() -> None:
    step = traced_mlp()
    across = (AxisCut("data", 1, 2), AxisCut("model", 1, 3))
    layout = with_pin(layout_of(step), Pin("0", (None, across), None))
    with pytest.raises(NoSuchFormError, match="equation 0 needs dim 1 by data inside each of 2"):
        to_jax_source(step, layout, plan_of(step, layout))
