"""A plan: the decisions that shard one step on one mesh, as data.

    Plan "data:4 x megatron:2"  for step, on data:4 x megatron:2
      choices   block 2, 6, 10, 14    data: strategy 0    megatron: strategy 3
      storage   state.params['wte']   dim 0 by megatron

Blocks are those of `Analysis`, strategies are numbers in `Analysis.strategies_of(block)`, one per
mesh axis, -1 where the axis does not split the block. All else follows from these: `lay_out`.

    plan.save("gpt.plan.json")               one JSON file, with the hash of its content
    plan = Plan.load("gpt.plan.json")        refused where the content is not what was saved
    print(plan, plan.diff(other))            a page; what another plan does otherwise
"""

from dataclasses import dataclass
from os import PathLike

from cfp.errors import InconsistentError
from cfp.ir import plan_checks, plan_diff, plan_file, plan_text
from cfp.ir.layout import Cuts
from cfp.ir.mesh import Mesh
from cfp.ir.plan_checks import SCHEMA
from cfp.ir.step import ArrayInfo

WHOLE = -1


@dataclass(frozen=True, slots=True)
class Choice:
    """What some blocks do: the number of a strategy per mesh axis, and that in words."""

    blocks: tuple[int, ...]
    strategies: tuple[int, ...]
    notation: str


@dataclass(frozen=True, slots=True)
class Storage:
    """How an argument of the step lies between steps; results that continue it lie the same.

    Without a dtype its shape is not known; of a PRNG key both are as in `ArrayInfo`.
    """

    argument: str
    cuts: Cuts
    shape: tuple[int, ...] = ()
    dtype: str = ""

    @property
    def array(self) -> ArrayInfo:
        """The argument itself."""
        return ArrayInfo(self.argument, self.shape, self.dtype)


@dataclass(frozen=True)
class Plan:
    """fingerprint is that of the step's blocks and arguments: a plan fits no other step."""

    name: str
    step: str
    fingerprint: str
    jax_version: str
    mesh: Mesh
    choices: tuple[Choice, ...]
    storage: tuple[Storage, ...]
    schema: int = SCHEMA

    @property
    def content_hash(self) -> str:
        """The sha256 of all that the plan says, as it stands in its file."""
        return plan_file.content_hash(self)

    def verify(self) -> None:
        """Raises InconsistentError unless all of this holds.

        - The schema is the one that this cfp writes, and the mesh is sound.
        - A block is chosen for once, and has a strategy, or -1, for every axis of the mesh.
        - An argument is stored once.
        - Its cuts name axes of the mesh, each once and in the order of the mesh, and dimensions
          that it has; every axis cuts into equal parts.
        """
        self.mesh.verify()
        for fact in plan_checks.contradictions(self):
            raise InconsistentError("Plan", self.name, fact)

    def to_json(self) -> str:
        """The plan as JSON text, with the hash of its content."""
        return plan_file.to_text(self)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan that `to_json` wrote, verified; refused where the text was changed since."""
        return plan_file.from_text(cls, text)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the file whole or not at all: readers never see half a plan."""
        plan_file.write(path, self.to_json())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Plan":
        """The plan in a file that `save` wrote."""
        return plan_file.load(cls, path)

    def diff(self, other: "Plan") -> str:
        """What `other` does otherwise: mesh, choices, storage; "the same plan" where nothing."""
        return plan_diff.diff(self, other)

    def __str__(self) -> str:
        return plan_text.page(self)
