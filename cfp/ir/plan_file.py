"""A plan as a file: JSON that names its schema and the hash of its own content.

    {
     "kind": "Plan",
     "sha256": "5c1f…",        of the content below, written in one canonical way
     "schema": 1,
     "name": "zero1", …

Spaces and the order of keys do not count, every value does: a plan that was edited by hand or cut
short is refused before anything is read from it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfp.errors import (
    CfpError,
    ChangedPlanError,
    PlanFileError,
    UnknownPlanSchemaError,
    UnreadableJsonError,
)
from cfp.ir import canonical_json
from cfp.ir.json_codec import decode, encode
from cfp.ir.plan_checks import SCHEMA
from cfp.ir.whole_text import write_whole

if TYPE_CHECKING:
    from os import PathLike

    from cfp.ir.plan import Plan

_KIND = "kind"
_HASH = "sha256"


def content_hash(plan: Plan) -> str:
    """The sha256 of all fields of the plan."""
    return canonical_json.content_hash(_content(plan))


def to_text(plan: Plan) -> str:
    """The plan as JSON text."""
    content = _content(plan)
    head = {
        _KIND: "Plan",
        _HASH: canonical_json.content_hash(content),
        "schema": content.pop("schema"),
    }
    return json.dumps({**head, **content}, indent=1)


def from_text(kind: type[Plan], text: str) -> Plan:
    """The plan that `to_text` wrote."""
    data = _object_in(text)
    if data.get("schema") != SCHEMA:
        raise UnknownPlanSchemaError(repr(data.get("schema")), SCHEMA)
    recorded = data.pop(_HASH, None)
    found = canonical_json.content_hash({key: item for key, item in data.items() if key != _KIND})
    if recorded != found:
        raise ChangedPlanError(str(recorded), found)
    plan = decode(kind, json.dumps(data))
    plan.verify()
    return plan


def write(path: str | PathLike[str], text: str) -> None:
    """Writes the file; it takes its place only when it is whole."""
    try:
        write_whole(path, text + "\n")
    except OSError as error:
        raise PlanFileError(str(path), error.strerror or str(error)) from error


def load(kind: type[Plan], path: str | PathLike[str]) -> Plan:
    """The plan in a file; where its text is refused, the error names the file too."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanFileError(str(path), getattr(error, "strerror", "") or str(error)) from error
    try:
        return from_text(kind, text)
    except CfpError as error:
        error.add_note(f"  file:  {path}")
        raise


def _object_in(text: str) -> dict[str, Any]:
    entries = canonical_json.object_in(text, "Plan")
    if entries.get(_KIND) != "Plan":
        raise UnreadableJsonError("Plan.kind", "expected 'Plan'")
    return entries


def _content(plan: Plan) -> dict[str, Any]:
    """The fields of the plan as JSON values."""
    content = json.loads(encode(plan))
    del content[_KIND]
    return content
