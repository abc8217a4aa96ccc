"""What a user asks of `parallelize` besides the step.

Request(plan="data:4 x megatron:2", memory_bytes=16 * 2**30)
Request(plan=Plan.load("gpt.plan.json"), mesh="data:4 x model:2", pins={"batch": P("data")})
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from cfp.ir.argument_pins import ArgumentPins
from cfp.ir.plan import Plan
from cfp.ir.plan_name import PlanName
from cfp.runtime.grid import Device, GivenMesh

GivenPlan = Plan | PlanName | str | PathLike[str] | None


@dataclass(frozen=True)
class Request:
    """plan is a name, a Plan, or the .json file of one; memory_bytes the limit of each device."""

    plan: GivenPlan = None
    mesh: GivenMesh = None
    devices: Sequence[Device] | None = None
    memory_bytes: int | None = None
    pins: ArgumentPins | None = None
