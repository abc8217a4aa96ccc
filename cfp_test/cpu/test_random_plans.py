"""A plan taken by chance is honoured to the letter, in real models.

Every block takes any strategy on every axis, whatever its neighbours do. The compiled program must
hold every contraction in the local shape that the layout promises, and compute the same numbers.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pytest
from jax.extend.core import jaxpr_as_fun

from cfp import _jax
from cfp._native import wanted_storage
from cfp.ir.layout import local_shape
from cfp.ir.mesh import Mesh
from cfp.ir.plan import WHOLE, Choice, Plan, Storage
from cfp.passes.analyze_hlo import analyze_hlo
from cfp.passes.enumerate_strategies import enumerate_strategies
from cfp.passes.lay_out import lay_out
from cfp.passes.shard_step import shard_step
from cfp.passes.trace_step import trace_step
from cfp.plans_by_name.findings import find
from cfp.plans_by_name.storage import as_used
from cfp_test.cpu.partitioned_products import compile_and_read
from cfp_test.cpu.random_layouts import products

if TYPE_CHECKING:
    from cfp.ir.analysis import Analysis
    from cfp.ir.layout import Layout, Pin
    from cfp.ir.step import TracedStep
    from cfp.plans_by_name.findings import Findings

MESH = Mesh.of_devices(8)
VARIANTS = {
    "gpt": ("gpt", {"num_layer": 1}),
    "gpt scan remat accumulation": (
        "gpt",
        {"num_layer": 2, "scan": True, "remat": True, "accumulation": 2},
    ),
    "bert remat": ("bert", {"num_layer": 1, "remat": True}),
    "llama2 scan": ("llama2", {"num_layer": 2, "scan": True}),
    "moe": ("moe", {"num_layer": 2}),
    "t5 scan": ("t5", {"num_layer": 2, "scan": True}),
    "wresnet": ("wresnet", {}),
}


@cache
def analyzed(variant: str) -> tuple[TracedStep, Analysis]:
    """The traced step of a model, and its analysis."""
    package, flags = VARIANTS[variant]
    step = trace_step(*import_module(f"cfp_test.{package}").train_step(**flags))
    return step, analyze_hlo(step)


@cache
def products_of(variant: str) -> dict[str, Any]:
    """The equations of every product of the step, by path."""
    jaxpr: Any = analyzed(variant)[0].jaxpr
    return {_jax.path_of(eqn): eqn for eqn in products(jaxpr.jaxpr)}


@cache
def findings_of(variant: str) -> Findings:
    """What plans by name ask about the step."""
    return find(*analyzed(variant))


def random_plan(variant: str, seed: int) -> Plan:
    """Any option for each distinct block; arguments lie as their readers have them."""
    step, analysis = analyzed(variant)
    random = Random(seed)
    space = enumerate_strategies(analysis, MESH)
    chosen = {one.block: random.choice(one.options).strategies for one in space.blocks}
    whole = (WHOLE,) * len(MESH.axes)
    choices = [chosen.get(block.alike, whole) for block in analysis.blocks]
    findings = findings_of(variant)
    wanted = wanted_storage(analysis, MESH, choices, findings.continues)
    storage = as_used(findings, MESH, wanted)
    return Plan(
        name=f"random {seed}",
        step=step.name,
        fingerprint="",
        jax_version=jax.__version__,
        mesh=MESH,
        choices=tuple(Choice((block,), one, "") for block, one in enumerate(choices)),
        storage=tuple(
            Storage(info.name, cuts, info.shape, info.dtype)
            for info, cuts in zip(step.arguments, storage, strict=True)
        ),
    )


def promised(pin: Pin, eqn: Any) -> tuple[tuple[int, ...], ...]:
    """The local shapes of both operands and the result."""
    arrays = (*eqn.invars, *eqn.outvars)
    return tuple(
        local_shape(atom.aval.shape, cuts or (), MESH)
        for atom, cuts in zip(arrays, (*pin.operands, pin.result), strict=True)
    )


def broken_promises(variant: str, layout: Layout, found: dict[str, Any]) -> list[str]:
    """The products that are not of the local shape that their pin says."""
    eqns = products_of(variant)
    promises = {pin.path: promised(pin, eqns[pin.path]) for pin in layout.pins if pin.path in eqns}
    assert promises.keys() == eqns.keys()
    return [
        f"{path}: {promise} became {found.get(path)}"
        for path, promise in promises.items()
        if promise != found.get(path)
    ]


def losses(step: TracedStep, results: Any) -> list[float]:
    """The scalars among the results that are not integers."""
    return [
        float(one)
        for info, one in zip(step.results, results, strict=True)
        if not info.shape and info.dtype.startswith("float")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_product_is_divided_as_decided(variant: str) -> None:
    step, analysis = analyzed(variant)
    layout = lay_out(step, analysis, random_plan(variant, seed=len(variant)))
    sharded = shard_step(step, layout, jax.devices()[:8])
    compiled, found = compile_and_read(sharded.lower())
    assert broken_promises(variant, layout, found) == []
    package, flags = import_module(f"cfp_test.{VARIANTS[variant][0]}"), VARIANTS[variant][1]
    key = jax.random.key(0)
    arrays = sharded.place(
        (jax.jit(package.init_state(**flags))(key), package.sample_batch(**flags)(key)), {}
    )
    expected = jax.jit(jaxpr_as_fun(step.jaxpr))(*jax.device_put(arrays, jax.devices()[0]))
    np.testing.assert_allclose(losses(step, compiled(*arrays)), losses(step, expected), rtol=1e-4)
