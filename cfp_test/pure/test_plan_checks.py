"""A plan is refused for another step, other arguments or another mesh, and says what differs."""

from dataclasses import replace

import pytest

from cfp.errors import PlanForOtherArgumentsError, PlanForOtherMeshError, PlanForOtherStepError
from cfp.ir.mesh import Mesh
from cfp.ir.plan import Plan, Storage
from cfp.ir.plan_checks import refuse_other, version_warning
from cfp.ir.step import ArrayInfo

MESH = Mesh((("data", 4), ("model", 2)))
PLAN = Plan(
    name="zero1",
    step="train",
    fingerprint="9f31",
    jax_version="0.10.2",
    mesh=MESH,
    choices=(),
    storage=(Storage("state['w']", (), (64, 96), "float32"), Storage("x", (), (8, 64), "int32")),
)
ARGUMENTS = tuple(one.array for one in PLAN.storage)


def refuse(
    arguments: tuple[ArrayInfo, ...] = ARGUMENTS,
    fingerprint: str = "9f31",
    mesh: Mesh = MESH,
    jax_version: str = "0.10.2",
) -> None:
    refuse_other(PLAN, fingerprint, arguments, mesh, jax_version)


def test_its_own_step_is_taken() -> None:
    refuse()
    refuse((ARGUMENTS[1], replace(ARGUMENTS[0], donated=True)))
    refuse(jax_version="0.12.0.1")


def test_an_argument_of_unknown_shape_is_taken() -> None:
    plan = replace(PLAN, storage=(Storage("x", ()),))
    refuse_other(plan, "9f31", (ArrayInfo("x", (3,), "int8"),), MESH, "0.10.2")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (ARGUMENTS[:1], ["x of the plan is missing"]),
        ((*ARGUMENTS, ArrayInfo("y", (), "int8")), ["y is not in the plan"]),
        (
            (replace(ARGUMENTS[0], shape=(64, 128)), ARGUMENTS[1]),
            ["state['w'] is float32[64,128], in the plan float32[64,96]"],
        ),
        (
            (ARGUMENTS[0], replace(ARGUMENTS[1], dtype="int8")),
            ["x is int8[8,64], in the plan int32[8,64]"],
        ),
        (
            (replace(ARGUMENTS[0], name="state['v']"), ARGUMENTS[1]),
            ["state['w'] of the plan is missing", "state['v'] is not in the plan"],
        ),
    ],
)
def test_other_arguments_are_named(arguments: tuple[ArrayInfo, ...], told: list[str]) -> None:
    with pytest.raises(PlanForOtherArgumentsError) as found:
        refuse(arguments, fingerprint="another", mesh=Mesh((("data", 2),)))
    assert found.value.what.splitlines()[1:] == [f"           {one}" for one in told]


def test_of_many_other_arguments_the_first_are_named() -> None:
    with pytest.raises(PlanForOtherArgumentsError) as found:
        refuse(tuple(replace(ARGUMENTS[0], name=f"layer_{number}") for number in range(9)))
    assert found.value.what.splitlines()[-2:] == [
        "           layer_2 is not in the plan",
        "           and 6 more",
    ]


def test_another_program_is_refused() -> None:
    with pytest.raises(PlanForOtherStepError) as found:
        refuse(fingerprint="another", mesh=Mesh((("data", 2),)))
    assert "by jax" not in found.value.what


def test_another_program_of_another_jax_says_so() -> None:
    with pytest.raises(PlanForOtherStepError, match=r"by jax 0\.12\.0\.1 and not 0\.10\.2"):
        refuse(fingerprint="another", jax_version="0.12.0.1")


@pytest.mark.parametrize(
    "axes", [(("data", 2),), (("model", 2), ("data", 4)), (("a", 4), ("b", 2))]
)
def test_another_mesh_is_refused(axes: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(PlanForOtherMeshError):
        refuse(mesh=Mesh(axes))


def test_another_jax_is_a_warning() -> None:
    assert version_warning(PLAN, "0.10.2") == ""
    assert version_warning(PLAN, "0.12.0.1") == (
        "plan 'zero1' was made with jax 0.10.2, and this is jax 0.12.0.1: the step is the same, "
        "what the compiler makes of it may be not"
    )
