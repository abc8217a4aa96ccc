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
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from cfp.errors import (
    CfpError,
    ChangedPlanError,
    PlanFileError,
    UnknownPlanSchemaError,
    UnreadableJsonError,
)
from cfp.ir.json_codec import decode, encode
from cfp.ir.plan_checks import SCHEMA

if TYPE_CHECKING:
    from os import PathLike

    from cfp.ir.plan import Plan

_KIND = "kind"
_HASH = "sha256"


def content_hash(plan: Plan) -> str:
    """The sha256 of all fields of the plan."""
    return _hash_of(_content(plan))


def to_text(plan: Plan) -> str:
    """The plan as JSON text."""
    content = _content(plan)
    head = {_KIND: "Plan", _HASH: _hash_of(content), "schema": content.pop("schema")}
    return json.dumps({**head, **content}, indent=1)


def from_text(kind: type[Plan], text: str) -> Plan:
    """The plan that `to_text` wrote."""
    data = _object_in(text)
    if data.get("schema") != SCHEMA:
        raise UnknownPlanSchemaError(repr(data.get("schema")), SCHEMA)
    recorded = data.pop(_HASH, None)
    found = _hash_of({key: item for key, item in data.items() if key != _KIND})
    if recorded != found:
        raise ChangedPlanError(str(recorded), found)
    plan = decode(kind, json.dumps(data))
    plan.verify()
    return plan


def write(path: str | PathLike[str], text: str) -> None:
    """Writes beside the file and then takes its place."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PlanFileError(str(target), error.strerror or str(error)) from error


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
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableJsonError("Plan", str(error)) from error
    if not isinstance(data, dict):
        raise UnreadableJsonError("Plan", f"expected dict, found {type(data).__name__}")
    entries = cast("dict[str, Any]", data)
    if entries.get(_KIND) != "Plan":
        raise UnreadableJsonError("Plan.kind", "expected 'Plan'")
    return entries


def _content(plan: Plan) -> dict[str, Any]:
    """The fields of the plan as JSON values."""
    content = json.loads(encode(plan))
    del content[_KIND]
    return content


def _hash_of(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode("ascii")).hexdigest()
