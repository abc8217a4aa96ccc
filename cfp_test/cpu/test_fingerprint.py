"""The fingerprint of a step changes with what a plan depends on, and with nothing else."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest

from cfp.ir.fingerprint import fingerprint
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.trace_step import trace_step
from cfp_test.cpu.mlp_layout import traced_mlp
from cfp_test.two_processes import printed_by_two_processes

SOURCE = """\
def step(w, x):
    def loss(w):
        hidden = ACTIVATION(x @ w["up"])
        return ((hidden @ w["down"]) ** 2).mean()

    return jax.tree.map(lambda w, g: w - RATE * g, w, jax.grad(loss)(w))
"""


def fingerprint_of(source=SOURCE, width=16, **names):
    """That of the step in a source text."""
    names = {"jax": jax, "ACTIVATION": jnp.tanh, "RATE": 0.1, **names}
    exec(compile(source, "model.py", "exec"), names)
    w = {"up": jnp.ones((8, width)), "down": jnp.ones((width, 8))}
    step = trace_step(names["step"], (w, jnp.ones((4, 8))))
    return fingerprint(step, analyze_hlo(step))


@pytest.mark.parametrize(
    "changes",
    [
        {"source": f"\n\n# a comment\n{SOURCE}"},
        {"source": SOURCE.replace("hidden", "wide")},
        {"RATE": 0.2},
    ],
)
def test_what_no_plan_depends_on_does_not_count(changes) -> None:
    assert fingerprint_of(**changes) == fingerprint_of()


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 32},
        {"ACTIVATION": jax.nn.gelu},
        {"source": SOURCE.replace("x)", "images)").replace("x @", "images @")},
        {"source": SOURCE.replace('(hidden @ w["down"])', '(hidden @ w["down"] @ w["up"])')},
    ],
)
def test_another_model_has_another_fingerprint(changes) -> None:
    assert fingerprint_of(**changes) != fingerprint_of()


def test_names_of_ops_do_not_count() -> None:
    step = traced_mlp()
    analysis = analyze_hlo(step)
    renamed = tuple(replace(op, instruction="x", op_name="y") for op in analysis.ops)
    assert fingerprint(step, replace(analysis, ops=renamed)) == fingerprint(step, analysis)


def test_the_order_of_strategies_counts() -> None:
    step = traced_mlp()
    analysis = analyze_hlo(step)
    block = analysis.blocks[0]
    turned = replace(block, strategies=block.strategies[::-1])
    other = replace(analysis, blocks=(turned, *analysis.blocks[1:]))
    assert fingerprint(step, other) != fingerprint(step, analysis)


PROGRAM = """\
from cfp.ir.fingerprint import fingerprint
from cfp.passes.analyze_hlo import analyze_hlo
from cfp_test.cpu.mlp_layout import traced_mlp
step = traced_mlp()
print(fingerprint(step, analyze_hlo(step)))
"""


def test_every_process_finds_the_same() -> None:
    found = printed_by_two_processes(PROGRAM)
    step = traced_mlp()
    assert found == {fingerprint(step, analyze_hlo(step))}
