"""What an audit found: whether a sharded step computes what the step does, and as the plan says.

    numerics       every result beside that of the unsharded step, over several steps
    collectives    what the program sends, by kind and mesh axis, beside what the plan predicts
    remade whole   values that the compiler replicates only to cut them otherwise
    memory         predicted and compiled
    contractions   what one device multiplies, where that is not what was decided

A mismatch is no error: it is told in `problems`, and `ok` is whether there are none.
"""

from dataclasses import dataclass

from cfp.errors import InconsistentError
from cfp.ir import audit_text
from cfp.ir.json_codec import decode, encode
from cfp.ir.memory import MemoryUse
from cfp.ir.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Difference:
    """One result of the sharded step beside the unsharded one's, at the step where it differs most.

    mean is the mean difference of its elements and allowed the mean that is tolerated, largest the
    greatest difference, typical the mean size of an element. Of integers they count elements that
    differ: then mean and allowed are shares.
    """

    result: str
    step: int
    mean: float
    allowed: float
    largest: float
    typical: float

    @property
    def ratio(self) -> float:
        """The difference in tolerances: 1 is as much as is allowed."""
        if self.mean == 0:
            return 0.0
        return self.mean / self.allowed if self.allowed else float("inf")


@dataclass(frozen=True, slots=True)
class Numerics:
    """How a number of steps compared.

    noise is the relative change of the inputs that was tried, the rounding error of a sum of
    longest_sum numbers of type dtype; safety times what it does is allowed.
    """

    steps: int
    dtype: str
    longest_sum: int
    noise: float
    safety: float
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Collectives of one kind on one mesh axis, of one device in one step."""

    kind: str
    axis: str
    predicted: int
    predicted_bytes: int
    found: int
    found_bytes: int


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A collective that no prediction explains; source is the user's line that it comes from."""

    kind: str
    axes: str
    shape: str
    times: int
    size_bytes: int
    instruction: str
    equation: str
    source: str


@dataclass(frozen=True, slots=True)
class Rematerialization:
    """An op that the compiler makes whole on every device in order to cut it otherwise."""

    operation: str
    before: str
    after: str
    source: str


@dataclass(frozen=True, slots=True)
class Mispartition:
    """A contraction that one device does not compute as decided: sizes in products per device."""

    equation: str
    source: str
    decided: str
    found: str


@dataclass(frozen=True)
class ProgramAudit:
    """The compiled program beside its plan; contractions were decided, unseen are not in it.

    traffic counts a predicted reduce-scatter as an all-reduce where the compiler makes none.
    """

    step: str
    mesh: Mesh
    platform: str
    traffic: tuple[Traffic, ...]
    unexplained: tuple[Unexplained, ...]
    rematerializations: tuple[Rematerialization, ...]
    predicted: MemoryUse
    compiled: MemoryUse
    contractions: int
    unseen: tuple[str, ...]
    mispartitions: tuple[Mispartition, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as the plan says, a sentence each."""
        return tuple(audit_text.program_problems(self))

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def verify(self) -> None:
        """There are no more unseen or mispartitioned contractions than contractions."""
        if len(self.unseen) + len(self.mispartitions) > self.contractions:
            fact = "more contractions are mentioned than there are"
            raise InconsistentError("ProgramAudit", self.step, fact)

    def __str__(self) -> str:
        return audit_text.program_report(self)


@dataclass(frozen=True)
class Audit:
    """The program and the numbers it gives."""

    program: ProgramAudit
    numerics: Numerics

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return (*audit_text.numerics_problems(self.numerics), *self.program.problems)

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def verify(self) -> None:
        """The program's audit is consistent, and at least one step was run."""
        self.program.verify()
        if self.numerics.steps < 1:
            raise InconsistentError("Audit", self.program.step, "no step was run")

    def to_json(self) -> str:
        """The audit as JSON text."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "Audit":
        """The audit that `to_json` wrote."""
        return decode(cls, text)

    def __str__(self) -> str:
        return audit_text.report(self)
