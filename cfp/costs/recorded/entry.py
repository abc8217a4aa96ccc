"""An entry: a cost, the key it is recorded under, and the text of the file that holds both.

    {
     "schema": 1,
     "sha256": "77aa…",                  of key and cost, written in one canonical way
     "key": {"kind": "CostKey", …},
     "cost": {"kind": "Cost", …}
    }

A file says all about itself: its name follows from the key in it, and a value that was changed no
longer fits the hash. Blanks do not count.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfp.errors import (
    DamagedCostError,
    ForeignCostError,
    InconsistentError,
    UnreadableJsonError,
)
from cfp.ir.canonical_json import content_hash, object_in
from cfp.ir.cost import Cost, CostKey

SCHEMA = 1
_KEYS = {"schema", "sha256", "key", "cost"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A cost and its key."""

    key: CostKey
    cost: Cost

    @property
    def place(self) -> str:
        """The name of its file inside the folder: f0/f00d….json."""
        return place_of(self.key)

    def verify(self) -> None:
        """Key and cost hold, and speak of the same device and source."""
        self.key.verify()
        self.cost.verify()
        for name in ("device", "source"):
            asked, found = getattr(self.key, name), getattr(self.cost, name)
            if asked != found:
                fact = f"the {name} of the key is {asked}, that of the cost {found}"
                raise InconsistentError("Entry", str(self.key), fact)

    def to_text(self) -> str:
        """The text of its file."""
        content = {"key": json.loads(self.key.to_json()), "cost": json.loads(self.cost.to_json())}
        head = {"schema": SCHEMA, "sha256": content_hash(content)}
        return json.dumps({**head, **content}, indent=1) + "\n"

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Entry":
        """The entry in the JSON object of a file of this schema."""
        if odd := sorted(_KEYS.symmetric_difference(data)):
            problem = "is missing" if odd[0] in _KEYS else "is not a known key"
            raise UnreadableJsonError(f"Entry.{odd[0]}", problem)
        content = {"key": data["key"], "cost": data["cost"]}
        if data["sha256"] != content_hash(content):
            raise UnreadableJsonError("Entry.sha256", "it is not the hash of key and cost")
        key, cost = (json.dumps(content[name]) for name in ("key", "cost"))
        entry = cls(CostKey.from_json(key), Cost.from_json(cost))
        entry.verify()
        return entry


def place_of(key: CostKey) -> str:
    """Where the entry of a key is; two digits make a folder, lest one holds too many files."""
    digest = key.digest()
    return f"{digest[:2]}/{digest}.json"


def entry_in(text: bytes, path: Path) -> Entry:
    """The entry that a file with this text, at this path, holds."""
    try:
        data = object_in(text, "Entry")
        schema = data.get("schema")
        if type(schema) is int and schema != SCHEMA:
            raise ForeignCostError(str(path), str(schema), SCHEMA)
        entry = Entry.from_data(data)
    except (UnreadableJsonError, InconsistentError) as error:
        raise DamagedCostError(str(path), f"{error.what}, at {error.where}") from error
    if entry.place != f"{path.parent.name}/{path.name}":
        raise DamagedCostError(str(path), f"its key belongs to {entry.place}")
    return entry
