"""What cfp.parallelize refuses: the whole text, with the argument, the dimension, the numbers."""

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

import cfp
from cfp import errors

W = jnp.ones((8, 4))
X = jnp.ones((16, 8))
PLAN = "data:4 x megatron:2"
WHERE = "the pins given to parallelize"


def step(w, x):
    value, gradient = jax.value_and_grad(lambda w: jnp.mean((x @ w) ** 2))(w)
    return w - 0.1 * gradient, value


def refusal(*args, fun=step, **choices) -> str:
    with pytest.raises(errors.CfpError) as found:
        cfp.parallelize(fun, **choices)(*(args or (W, X)))
    return str(found.value)


@pytest.fixture(scope="module")
def plan() -> cfp.Plan:
    named = cfp.parallelize(step, plan=PLAN)
    named.lower(W, X)
    return named.plan


# ---- devices


@pytest.mark.parametrize("kind", ["Explicit", "Manual"])
def test_a_mesh_whose_axes_are_not_left_to_the_compiler(kind: str, plan) -> None:
    kinds = (AxisType[kind], AxisType.Auto)
    mesh = jax.make_mesh((4, 2), ("data", "megatron"), axis_types=kinds)
    expected = errors.ExplicitMeshError(("data",), kind)
    assert refusal(plan=plan, mesh=mesh) == str(expected)


def test_a_jax_mesh_brings_its_devices(plan) -> None:
    devices = jax.devices()[::-1]
    kinds = (AxisType.Auto,) * 2
    mesh = jax.make_mesh((4, 2), ("data", "megatron"), devices=devices, axis_types=kinds)
    moved, _ = cfp.parallelize(step, plan=plan, mesh=mesh)(W, X)
    assert [one.device for one in moved.addressable_shards] == list(mesh.devices.flat)
    told = "cpu devices " + ", ".join(str(one.id) for one in mesh.devices.flat)
    expected = errors.TwoDeviceListsError(told, "cpu devices 0, 1")
    assert refusal(plan=plan, mesh=mesh, devices=jax.devices()[:2]) == str(expected)


def test_a_mesh_of_another_number_of_devices(plan) -> None:
    expected = str(errors.DeviceCountError(PLAN, 8, 4))
    assert refusal(plan=plan, devices=jax.devices()[:4]) == expected
    assert refusal(plan=plan, mesh=PLAN, devices=jax.devices()[:4]) == expected
    expected = str(errors.DeviceCountError("data:2", 2, 8))
    assert refusal(plan=plan, mesh=cfp.Mesh.parse("data:2")) == expected


def test_a_plan_for_another_mesh(plan) -> None:
    expected = errors.PlanForOtherMeshError(PLAN, PLAN, 8, "data:8", 8)
    assert refusal(plan=plan, mesh="data:8") == str(expected)


def test_an_argument_that_cannot_be_shared_equally() -> None:
    expected = errors.IndivisibleError("argument x", WHERE, 0, 6, 4)
    x = jnp.ones((6, 8))
    pins = {"x": P("data")}
    mesh = "data:4 x megatron:2"
    assert refusal(W, x, plan="replicated", mesh=mesh, pins=pins) == str(expected)


# ---- memory


def test_a_plan_that_does_not_fit(plan) -> None:
    text = refusal(plan=plan, memory_bytes=100)
    assert text.startswith(
        f"plan {PLAN!r} needs more than 100 B on each device: arguments 192 B, results "
    )
    cfp.parallelize(step, plan=plan, memory_bytes=2**20)(W, X)


# ---- pins


def test_pins_that_the_plan_agrees_with(plan) -> None:
    agreed = {"w": P(None, "megatron"), "x": P("data"), "x*": P("data", None)}
    cfp.parallelize(step, plan=plan, pins=agreed)(W, X)


def test_pins_that_contradict_each_other(plan) -> None:
    pins = {"w": P("data", "megatron"), "*": P(("data", "megatron"))}
    expected = errors.ContradictingPinsError(
        "w", "w: dim 0 by data, dim 1 by megatron", "*: dim 0 by data and megatron"
    )
    assert refusal(plan=plan, pins=pins) == str(expected)


def test_a_pin_that_the_plan_breaks(plan) -> None:
    expected = errors.BrokenPinError("w", "w: whole", PLAN, "dim 1 by megatron")
    assert refusal(plan=plan, pins={"w": "replicated"}) == str(expected)
    expected = errors.BrokenPinError("x", "x: dim 0 by replicated", "replicated:8", "whole")
    assert refusal(plan="replicated", pins={"x": P("replicated")}) == str(expected)


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ("data", "it is another word"),
        (3, "it is no PartitionSpec"),
        (P("rows"), "'rows' is no axis of the mesh data:4 x megatron:2"),
        (P("data", None, None), "it names 3 dimensions, and x has 2"),
    ],
)
def test_a_pin_that_says_nothing(pin, problem: str, plan) -> None:
    expected = errors.UnreadablePinError("x", repr(pin), problem)
    assert refusal(plan=plan, pins={"x": pin}) == str(expected)


def test_a_pin_of_no_argument(plan) -> None:
    expected = errors.UnknownArgumentError("step", "state", ("w", "x"), WHERE)
    assert refusal(plan=plan, pins={"state": "replicated"}) == str(expected)


# ---- the call


def printing(w, x):
    jax.debug.print("{}", w.sum())
    return w, x.sum()


def test_a_step_with_side_effects(plan) -> None:
    text = refusal(fun=printing, plan=plan)
    assert text.startswith("step `printing` does more than compute its results: debug_print has a")
    assert f"{__file__}:{printing.__code__.co_firstlineno + 1} in printing" in text


def test_a_static_argument_without_a_hash(plan) -> None:
    def sized(x, sizes):
        return x.reshape(sizes)

    expected = errors.UnhashableStaticError("sized", "sizes", "list")
    assert refusal(X, [8, 16], fun=sized, plan=plan, static_argnums=1) == str(expected)


def test_an_argument_that_is_no_array(plan) -> None:
    expected = errors.NonArrayArgumentError("step", "x['name']", "str")
    assert refusal(W, {"name": "a"}, plan=plan) == str(expected)


def test_donated_arrays_used_again(plan) -> None:
    parallel = cfp.parallelize(step, plan=plan, donate_argnums=0)
    placed, _ = parallel(W, X)
    parallel(placed, X)
    with pytest.raises(errors.DonatedArgumentError) as found:
        parallel(placed, X)
    assert str(found.value) == str(errors.DonatedArgumentError("step", "w"))


def test_a_step_without_a_plan() -> None:
    assert refusal().startswith("step `step` is given no plan")


def test_a_step_that_met_no_arguments() -> None:
    parallel = cfp.parallelize(step, plan="data")
    for ask in (lambda: parallel.plan, parallel.explain, lambda: parallel.explain("w")):
        with pytest.raises(errors.NotYetTracedError) as found:
            ask()
        assert str(found.value) == str(errors.NotYetTracedError("step"))


def test_a_question_about_no_argument(plan) -> None:
    parallel = cfp.parallelize(step, plan=plan)
    parallel.lower(W, X)
    with pytest.raises(errors.UnknownArgumentError) as found:
        parallel.explain("state.w")
    where = "what `explain` is asked about"
    expected = errors.UnknownArgumentError("step", "state.w", ("w", "x"), where)
    assert str(found.value) == str(expected)
