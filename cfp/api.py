"""`cfp.parallelize`: the user's own step, on many devices.

    @cfp.parallelize(plan="data:4 x megatron:2", donate_argnums=0)
    def step(state, batch): ...

    state = step.init(init_state, key)       made in its place
    state, metrics = step(state, batch)      as before
    print(step.plan, step.explain("batch"))

What the step is called with decides its program, as with `jax.jit`: one for each tree of arguments,
with their shapes, types and static values.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import functools
from collections.abc import Hashable, Mapping, Sequence
from types import MethodType
from typing import Any

import jax

from cfp.errors import NotYetTracedError
from cfp.ir.argument_pins import ArgumentPins
from cfp.ir.audit import Audit
from cfp.ir.layout_text import arguments_text
from cfp.ir.plan import Plan
from cfp.ir.plan_name import PlanName, parse
from cfp.options import options_from_environment
from cfp.pipeline import (
    Baselines,
    ParallelStep,
    analyze_step,
    audit_step,
    baselines_of,
    jax_source_of,
    loaded_plan,
    logical_rules_of,
    parallel_step,
)
from cfp.runtime.first_state import first_state
from cfp.runtime.grid import Device, GivenMesh, grid_of
from cfp.runtime.objects import Call, closed, is_tree, on_arrays, opened
from cfp.runtime.request import GivenPlan, Request
from cfp.runtime.static import Owner
from cfp.runtime.step_choices import Names, Positions, Step, StepChoices, choose


def parallelize(  # noqa: PLR0913 - what a user can choose, all by name
    fun: Step | None = None,
    *,
    plan: GivenPlan = None,
    mesh: GivenMesh = None,
    devices: Sequence[Device] | None = None,
    memory_bytes: int | None = None,
    pins: ArgumentPins | None = None,
    donate_argnums: Positions = (),
    static_argnums: Positions = (),
    static_argnames: Names = (),
) -> Any:
    """`fun`, sharded as the plan says; without `fun`, a decorator that does it.

    - plan: a name, such as "data:4 x megatron:2", a Plan, or the .json file of one.
    - mesh: "data:4 x model:2", a cfp.Mesh, or a jax.sharding.Mesh with its devices.
    - devices: all there are, unless they are given here or by the mesh.
    - memory_bytes: a plan that needs more on one device is refused.
    - pins: where arguments must lie, {"state.params['wte']": P(None, "model"), "batch": P("data")};
      a plan that lays one otherwise is refused.
    - donate_argnums, static_argnums, static_argnames: as for `jax.jit`.
    """
    request = Request(plan, mesh, devices, memory_bytes, pins)

    def parallelized(fun: Step) -> Parallelized:
        choices = choose(fun, static_argnums, static_argnames, donate_argnums)
        return Parallelized(choices, request, {})

    return parallelized if fun is None else parallelized(fun)


def baseline(name: str) -> PlanName:
    """The name of a plan, read: refused at once where it says nothing, and good as any `plan=`.

    `data`, `zero1`, `fsdp`, `megatron`, `sequence`, `expert` or `replicated`, each with how many
    devices it takes, joined by ` x `, and how the state is stored: "data:4 x megatron:2 + fsdp".
    """
    return parse(name)


def baselines(
    step: Step,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    mesh: GivenMesh = None,
    devices: Sequence[Device] | None = None,
) -> Baselines:
    """Every named plan of one or two kinds that fits the step, with the reasons of the others.

    On a mesh the kinds take its axes; without one they share the devices in all ways there are.
    """
    return baselines_of(step, args, kwargs, mesh=mesh, devices=devices)


class Parallelized:
    """A step that is called as the user wrote it and runs on many devices.

    owner is the object whose method it is, and programs hold what was made so far, by the kind of
    arguments.
    """

    def __init__(
        self,
        choices: StepChoices,
        request: Request,
        programs: dict[Hashable, ParallelStep],
        owner: tuple[Any, ...] = (),
    ) -> None:
        self._choices = choices
        self._request = request
        self._programs = programs
        self._owner = owner
        functools.update_wrapper(self, choices.fun, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the step returns; objects among the arguments are updated."""
        with self._opened(args, kwargs) as call:
            return closed(self._program(call).sharded(*call.args, **call.kwargs))

    def __get__(self, instance: Any, owner: type | None = None) -> "Parallelized":
        """The step as a method: an instance that holds arrays is an argument, another is static."""
        if instance is None:
            return self
        held = (instance if is_tree(instance) else Owner(instance),)
        method = Parallelized(self._choices, self._request, self._programs, held)
        functools.update_wrapper(method, MethodType(self._choices.fun, instance), updated=())
        return method

    def init(self, init_fn: Step, *args: Any, **kwargs: Any) -> Any:
        """`init_fn(*args, **kwargs)`, computed where it will lie and never whole on one device.

        It is laid out as the plan stores it where the plan is known: given itself, or after a first
        `lower` or call. Before that it is spread over all devices, and the first call moves it.
        """
        plan = self._latest.plan if self._programs else loaded_plan(self._request.plan)
        grid = grid_of(self._request.mesh, self._request.devices)
        with opened(args, kwargs) as call:
            return closed(first_state(on_arrays(init_fn, "init"), call, plan, grid))

    @property
    def plan(self) -> Plan:
        """The plan: the one that was given, else that of the arguments met last."""
        return loaded_plan(self._request.plan) or self._latest.plan

    def lower(self, *args: Any, **kwargs: Any) -> jax.stages.Lowered:
        """The program for these arguments, arrays or only their shapes, before it is compiled."""
        with self._opened(args, kwargs) as call:
            return self._program(call).sharded.lower()

    def audit(self, *args: Any, **kwargs: Any) -> Audit:
        """Whether the sharded step computes what the step does, as planned, from these arguments.

        They stay good, donated or not, and objects among them stay as they are.
        """
        with self._opened(args, kwargs) as call:
            return audit_step(self._program(call), call, options_from_environment())

    def explain(self, what: str | None = None) -> str:
        """The plan on a page; or where the arguments lie whose names `what` matches."""
        if what is None:
            return str(self.plan)
        sharded = self._latest.sharded
        return arguments_text(sharded.step, sharded.layout, what)

    def to_jax_source(self) -> str:
        """The plan as a Python file: the step sharded by plain JAX, without cfp."""
        return jax_source_of(self._latest)

    def to_logical_rules(self) -> str:
        """The plan as flax's logical axis rules, in Python; refused where it has not that form."""
        return logical_rules_of(self._latest)

    @property
    def _latest(self) -> ParallelStep:
        if not self._programs:
            raise NotYetTracedError(self._choices.name)
        return next(reversed(self._programs.values()))

    def _opened(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return opened(*self._choices.frozen((*self._owner, *args), kwargs))

    def _program(self, call: Call) -> ParallelStep:
        """The program for a call like this, made where it is the first."""
        kind = call.kind
        if kind not in self._programs:
            options = options_from_environment()
            step = on_arrays(self._choices.fun, self._choices.name)
            donated = self._choices.donated_positions
            traced, analysis = analyze_step(step, *call.shapes, options, donate_argnums=donated)
            self._programs[kind] = parallel_step(traced, analysis, self._request, options)
        return self._programs[kind]
