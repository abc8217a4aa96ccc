"""Names of plans: what each part of the mesh is for, and how the state is stored.

data:4 x megatron:2 + fsdp      4 x 2 devices, parameters stored in parts along `data`
fsdp x megatron                 the degrees are left out: shared as evenly as possible
zero1                           data parallelism with the optimizer state stored in parts

kind         what its devices share
replicated   nothing: all do the same
data         the batch
fsdp         the batch; parameters, gradients and optimizer state are stored in parts
zero1        the batch; optimizer state is stored in parts
megatron     weights, by columns and then by rows; `tensor` is another word for it
sequence     the other dimension of the data: tokens of a text, rows of an image
expert       stacked weights that work side by side, and the batch elsewhere
"""

import re
from dataclasses import dataclass

from cfp.errors import UnreadableBaselineError

REPLICATED, DATA, FSDP, ZERO1 = "replicated", "data", "fsdp", "zero1"
MEGATRON, SEQUENCE, EXPERT = "megatron", "sequence", "expert"
KINDS = (REPLICATED, DATA, FSDP, ZERO1, MEGATRON, SEQUENCE, EXPERT)
STORAGES = (FSDP, ZERO1)
REPEATING = (DATA, SEQUENCE, EXPERT)  # their devices hold the same parameters, if not of experts
OTHER_WORDS = {"tensor": MEGATRON}

_PART = re.compile(r"\s*(\w+)\s*(?::\s*(\d+)\s*)?")


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of parallelism on `degree` devices; 0 where the name leaves it out."""

    kind: str
    degree: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.degree}" if self.degree else self.kind


@dataclass(frozen=True, slots=True)
class PlanName:
    """The parts, major first, and the storage that is added to them: "fsdp", "zero1" or ""."""

    parts: tuple[Part, ...]
    storage: str = ""

    def __str__(self) -> str:
        parts = " x ".join(map(str, self.parts))
        return f"{parts} + {self.storage}" if self.storage else parts


def parse(text: str) -> PlanName:
    """The name that `text` is; `str` writes it."""
    head, plus, storage = text.partition("+")
    storage = storage.strip()
    name = PlanName(tuple(_part(text, one) for one in re.split(r"\sx\s", head)), storage)
    if plus and storage not in STORAGES:
        raise UnreadableBaselineError(text, f"{storage!r} is no storage")
    kinds = [part.kind for part in name.parts]
    if repeated := next((kind for kind in kinds if kinds.count(kind) > 1), ""):
        raise UnreadableBaselineError(text, f"{repeated!r} stands there twice")
    if stored := next((kind for kind in kinds if storage and kind in STORAGES), ""):
        raise UnreadableBaselineError(text, f"{stored!r} says already how the state is stored")
    if storage and not set(kinds).intersection(REPEATING):
        raise UnreadableBaselineError(
            text, f"no part holds anything twice that {storage!r} divides"
        )
    return name


def _part(text: str, part: str) -> Part:
    found = _PART.fullmatch(part)
    if not found:
        raise UnreadableBaselineError(text, f"{part.strip()!r} is no kind with a degree")
    kind = OTHER_WORDS.get(found[1], found[1])
    if kind not in KINDS:
        raise UnreadableBaselineError(text, f"{kind!r} is no kind of parallelism")
    if found[2] and not int(found[2]):
        raise UnreadableBaselineError(text, f"{kind!r} is asked for on 0 devices")
    return Part(kind, int(found[2] or 0))
