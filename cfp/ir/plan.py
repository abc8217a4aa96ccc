"""A plan: the decisions that shard one step on one mesh, as data.

    Plan "data:4 x megatron:2"  for step, on data:4 x megatron:2
      choices   block 2, 6, 10, 14    data: strategy 0    megatron: strategy 3
      storage   state.params['wte']   dim 0 by megatron

Blocks are those of `Analysis`, strategies are numbers in `Analysis.strategies_of(block)`, one per
mesh axis, -1 where the axis does not split the block. All else follows from these: `lay_out`.
"""

from dataclasses import dataclass

from cfp.ir.layout import Cuts
from cfp.ir.mesh import Mesh

SCHEMA = 1
WHOLE = -1


@dataclass(frozen=True, slots=True)
class Choice:
    """What some blocks do: the number of a strategy per mesh axis, and that in words."""

    blocks: tuple[int, ...]
    strategies: tuple[int, ...]
    notation: str


@dataclass(frozen=True, slots=True)
class Storage:
    """How an argument of the step lies between steps; results that continue it lie the same."""

    argument: str
    cuts: Cuts


@dataclass(frozen=True)
class Plan:
    """fingerprint is that of the step's HLO: a plan fits no other step."""

    name: str
    step: str
    fingerprint: str
    jax_version: str
    mesh: Mesh
    choices: tuple[Choice, ...]
    storage: tuple[Storage, ...]
    schema: int = SCHEMA
