"""The audit of a sharded step: it finds nothing in a good one, and what is wrong in a bad one."""

import os
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cfp.audit.rematerializations import with_stderr
from cfp.ir.audit import Audit
from cfp.ir.layout import AxisCut, Layout, Pin
from cfp.ir.mesh import Mesh
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.passes.verify_step import audit_program, verify_step
from cfp.plans_by_name.by_name import baseline
from cfp_test.zoo import mlp

STEP, ARGS = mlp.train_step()


@pytest.fixture(scope="module")
def traced():
    step = trace_step(STEP, ARGS, donate_argnums=0)
    return step, analyze_hlo(step)


def sharded_by(traced, name):
    plan = baseline(name, *traced, devices=8)
    return shard_step(traced[0], lay_out(*traced, plan), jax.devices())


@pytest.fixture(scope="module")
def good(traced):
    return sharded_by(traced, "data:4 x megatron:2")


@pytest.fixture
def arrays():
    return mlp.init_state()(jax.random.key(0)), mlp.sample_batch()(jax.random.key(1))


def audit(sharded, traced, arrays, steps=2):
    return verify_step(sharded, traced[1], arrays, {}, steps)


def test_a_good_step_has_no_problem(good, traced, arrays):
    found = audit(good, traced, arrays, steps=3)
    found.verify()
    assert found.problems == ()
    assert {one.result for one in found.numerics.differences} == {
        one.name for one in traced[0].results
    }
    assert found.program.contractions == 5
    assert found.program.unseen == ()
    assert found.program.traffic
    assert all(one.predicted_bytes == one.found_bytes for one in found.program.traffic)
    for exact in ("arguments", "results", "aliased"):
        assert getattr(found.program.predicted, exact) == getattr(found.program.compiled, exact)
    assert Audit.from_json(found.to_json()) == found


def test_the_users_arrays_stay_good(good, traced, arrays):
    state, batch = arrays
    in_place = good.place((state, batch), {})
    placed_state, _ = jax.tree.unflatten(traced[0].in_tree, in_place)[0]
    audit(good, traced, (placed_state, batch))
    assert all(np.isfinite(one).all() for one in jax.tree.leaves((placed_state, state, batch)))


def test_wrong_numbers_are_a_problem(good, traced, arrays):
    def flat_step(*flat):
        weights, *rest = good.jitted.__wrapped__(*flat)
        return (weights * 1.001, *rest)

    jitted = jax.jit(flat_step, in_shardings=good.argument_shardings, keep_unused=True)
    found = audit(replace(good, jitted=jitted), traced, arrays)
    assert found.problems[0].startswith("result[0].params['first'] is not that of the unsharded")


def test_a_program_of_another_plan_is_found(good, traced):
    other = sharded_by(traced, "data")
    found = audit_program(replace(good, layout=other.layout), traced[1])
    decided = {one.equation: one for one in found.mispartitions}
    assert decided["0"].decided == "b 1, m 1, n 128, k 64"
    assert decided["0"].found == "b 1, m 2, n 64, k 64"
    assert "mlp.py" in decided["0"].source
    assert not found.ok


# ---- involuntary full rematerialization


def reshaped(x, w, v):
    h = jnp.tanh(x @ w).reshape(8, 8, 64)
    return jnp.einsum("abc,cd->abd", h, v)


@pytest.fixture(scope="module")
def remade():
    """A layout that wants the reshaped rows in an order in which the partitioner cannot move."""
    arrays = (jnp.ones((64, 64)), jnp.ones((64, 64)), jnp.ones((64, 64)))
    step = trace_step(reshaped, arrays)
    analysis = analyze_hlo(step)
    mesh = Mesh.parse("data:2 x model:4")
    both = (AxisCut("data", 0), AxisCut("model", 1))
    swapped = (AxisCut("model", 1), AxisCut("data", 1))
    first, second = (one.path for one in step.equations if one.primitive == "dot_general")
    pins = (
        Pin(first, ((AxisCut("data", 0),), (AxisCut("model", 1),)), both),
        Pin(second, (swapped, ()), swapped),
    )
    values = ((),) * len(analysis.ops)
    laid = Layout(mesh, values, ((), (), ()), (swapped,), (swapped,), pins, ())
    return shard_step(step, laid, jax.devices()), analysis


def test_a_value_that_is_remade_whole_is_told_with_its_line(remade, capfd):
    sharded, analysis = remade
    sharded.compile()
    capfd.readouterr()
    for _ in range(2):  # what was compiled before is compiled again
        found = audit_program(sharded, analysis)
        (one,) = found.rematerializations
        assert "reshape" in one.operation
        assert "test_verify_step.py" in one.source
        assert (one.before, one.after) == (
            "{devices=[2,1,4]<=[8]}",
            "{devices=[1,8,1]<=[2,4]T(1,0)}",
        )
        assert any("is made whole on every device" in text for text in found.problems)
        assert "Involuntary full rematerialization" in capfd.readouterr().err


def test_standard_error_is_caught_and_passed_on(capfd):
    made, text = with_stderr(lambda: os.write(2, b"from below\n"))
    assert (made, text) == (11, "from below\n")
    assert capfd.readouterr().err == "from below\n"


def test_standard_error_is_restored_when_something_fails(capfd):
    def fail():
        os.write(2, b"before ")
        raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        with_stderr(fail)
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"
