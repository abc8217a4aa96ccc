"""A train step as JAX sees it: its HLO, its arguments and results, and the equations behind it.

Every equation has a path, the positions to take from the whole step down to it:

    jaxpr of the step              path    the HLO instruction's op_name
      0  dot_general               0       jit(step)/cfp:0/dot_general
      1  scan                      1
           0  add                  1/0     jit(step)/while/body/cfp:1/0/add
           1  tanh                 1/1

The equations nested in one equation are numbered through, whatever the number of its jaxprs: the
body of a `while` comes first and its condition goes on counting, so no two equations share a path.

JSON holds all but the jaxpr and the trees, which mean nothing in another process; the HLO is packed
inside, so one file is the whole step.
"""

from dataclasses import dataclass
from functools import cached_property

from cfp.errors import InconsistentError
from cfp.ir.json_codec import decode, encode, opaque


@dataclass(frozen=True)
class Equation:
    """One equation of the jaxpr: where it is, what it does, and which line of the user made it.

    name_stack is JAX's own, from the step down to here: a backward equation's holds `transpose(`.
    The source is the innermost frame that is neither JAX nor an installed library, if there is one.
    """

    path: str
    primitive: str
    name_stack: str
    source_file: str
    source_line: int
    source_function: str

    def __str__(self) -> str:
        return f"{self.path}  {self.primitive}  {self.name_stack or '.'}  {self.source}"

    @property
    def source(self) -> str:
        """`model.py:12 in Layer.attend`, or `unknown` where no frame was recorded."""
        if not self.source_file:
            return "unknown"
        return f"{self.source_file}:{self.source_line} in {self.source_function}"


@dataclass(frozen=True)
class ArrayInfo:
    """One array that goes into the step or comes out of it.

    dtype is JAX's name for it. A PRNG key (`key<fry>`) is one element here; in the HLO it has a
    last dimension of 32-bit words more. continues, of a result, is the number of the argument whose
    next value it is, -1 for none.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    donated: bool = False
    continues: int = -1

    def __str__(self) -> str:
        sizes = ",".join(map(str, self.shape))
        return f"{self.dtype}[{sizes}]  {self.name}{'  donated' if self.donated else ''}"


@dataclass(frozen=True)
class StaticArgument:
    """An argument that is part of the program; `value` is its repr."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


@dataclass(frozen=True)
class TracedStep:
    """A step, traced and lowered. Arguments and results stand in the order of the HLO's.

    jaxpr is the closed jaxpr whose equations carry the tags; in_tree and out_tree rebuild the
    user's own arguments and results from flat lists. All three are JAX objects.
    """

    name: str
    hlo: bytes
    arguments: tuple[ArrayInfo, ...]
    results: tuple[ArrayInfo, ...]
    equations: tuple[Equation, ...]
    static_arguments: tuple[StaticArgument, ...] = ()
    jaxpr: object = opaque()
    in_tree: object = opaque()
    out_tree: object = opaque()

    def equation(self, path: str) -> Equation:
        """The equation at `path`; KeyError if there is none."""
        return self._by_path[path]

    @cached_property
    def _by_path(self) -> dict[str, Equation]:
        return {one.path: one for one in self.equations}

    def verify(self) -> None:
        """There is HLO, paths are unique, and every nested equation's parent is an equation."""
        if not self.hlo:
            raise InconsistentError("TracedStep", self.name, "it holds no HLO")
        if len(self._by_path) != len(self.equations):
            raise InconsistentError("TracedStep", self.name, "two equations share a path")
        for one in self.equations:
            parent, _, number = one.path.rpartition("/")
            if not number.isdecimal() or (parent and parent not in self._by_path):
                raise InconsistentError(
                    "TracedStep", self.name, f"equation {one.path!r} has no parent"
                )

    def to_json(self) -> str:
        """The step as JSON text, without the jaxpr and the trees."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "TracedStep":
        """The step that `to_json` wrote; its jaxpr and trees are None."""
        return decode(cls, text)

    def __str__(self) -> str:
        counts = (
            f"{len(self.arguments)} arguments, {len(self.results)} results, "
            f"{len(self.equations)} equations, {len(self.hlo)} bytes of HLO"
        )
        return "\n".join(
            [
                f"step {self.name}: {counts}",
                *_listed("static arguments", self.static_arguments),
                *_listed("arguments", self.arguments),
                *_listed("results", self.results),
                *_listed("equations", self.equations),
            ]
        )


def _listed(title: str, items: tuple[object, ...]) -> list[str]:
    return [title, *(f"  {item}" for item in items)] if items else []
