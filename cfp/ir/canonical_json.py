"""JSON with one text per value, and hashes of values through it.

canonical({"b": 1, "a": [2.5]})      {"a":[2.5],"b":1}     sorted, no blanks, ASCII alone
content_hash({"b": 1, "a": [2.5]})   the sha256 of that text, the same in every process
object_in('{"a": NaN}', "Cost")      refused: NaN and Infinity are not JSON
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NoReturn, cast

from cfp.errors import UnreadableJsonError


def canonical(value: Mapping[str, Any]) -> str:
    """The one text of a JSON object."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Mapping[str, Any]) -> str:
    """A sha256 in hexadecimal digits."""
    return sha256(canonical(value).encode("ascii")).hexdigest()


def object_in(text: str | bytes, place: str) -> dict[str, Any]:
    """The JSON object that is the whole text; place is named where there is none."""
    try:
        data: Any = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnreadableJsonError(place, str(error)) from error
    if not isinstance(data, dict):
        raise UnreadableJsonError(place, f"expected dict, found {type(data).__name__}")
    return cast("dict[str, Any]", data)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
