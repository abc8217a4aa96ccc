"""How devices are wired: levels from the inside, each a few wirings that are used at once.

    [switch:8 of 18 nvlink-4] [tree:4 of 8 infiniband-ndr]    four nodes of eight GPUs
    [ring:4 x ring:4 x ring:8 of ici-v5p]                     a 4 x 4 x 8 torus of 128 chips
    [line:4 x line:4 of ici-v5e] [tree:2 of 1 ethernet-100g]  two slices of 16 chips

A level joins members: devices at the first, all that is inside at the others. Devices are counted
as in a mesh, the last wiring of the first level being the minor one.
"""

from dataclasses import dataclass
from math import prod

from cfp.errors import InconsistentError
from cfp.ir import hardware_text
from cfp.ir.hardware import Link
from cfp.ir.json_codec import decode, encode

FORMS = ("ring", "line", "full", "switch", "tree")


@dataclass(frozen=True, slots=True)
class Wiring:
    """`size` members joined by links.

    ring      each to the next, the last to the first; two members are a line
    line      the same without the way around
    full      each to every other
    switch    each to one switch, which lets all send and receive at once
    tree      the same, of switches, where half can reach the other half at
              1/oversubscription of that rate

    links is how many links a member has to each neighbour, or to its switch.
    """

    form: str
    size: int
    link: Link
    links: int = 1
    oversubscription: float = 1.0

    def verify(self) -> None:
        """The form is known, there is a member and a link, and only a tree is oversubscribed."""
        facts = (
            (self.form in FORMS, "its form is none of " + ", ".join(FORMS)),
            (self.size >= 1, "it has no member"),
            (self.links >= 1, "a member has no link"),
            (self.oversubscription >= 1, "it is oversubscribed less than once"),
            (self.form == "tree" or self.oversubscription == 1, "no tree, and oversubscribed"),
        )
        for holds, fact in facts:
            if not holds:
                raise InconsistentError("Wiring", str(self), fact)
        self.link.verify()

    def __str__(self) -> str:
        return hardware_text.wiring(self)


Level = tuple[Wiring, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Levels from the inside; the wirings of one level are the dimensions of a grid."""

    name: str
    levels: tuple[Level, ...]

    @property
    def devices(self) -> int:
        """How many devices it joins."""
        return prod(wiring.size for level in self.levels for wiring in level)

    def verify(self) -> None:
        """Every level has a wiring, and only rings and lines make a grid."""
        for level in self.levels:
            if not level:
                raise InconsistentError("Network", self.name, "a level joins nothing")
            for wiring in level:
                wiring.verify()
                if len(level) > 1 and wiring.form not in ("ring", "line"):
                    fact = f"{wiring.form} is a dimension of a grid"
                    raise InconsistentError("Network", self.name, fact)

    def to_json(self) -> str:
        """The network as JSON text: a hardware file."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> "Network":
        """The network that `to_json` wrote."""
        network = decode(cls, text)
        network.verify()
        return network

    def __str__(self) -> str:
        return hardware_text.network(self)
