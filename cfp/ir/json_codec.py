"""Frozen dataclasses to JSON and back, exactly: `decode(kind, encode(value)) == value`.

A dataclass becomes an object with one key per field, a tuple becomes a list, bytes are packed with
zlib and written as base64. The type annotations are the schema, and reading is strict: a missing
key, an unknown key or a value of another type is an error that names the place.

    encode(Point(1, (2.5,)))                      {"kind": "Point", "x": 1, "more": [2.5]}
    decode(Point, '{"kind": "Point", "x": "1"…')  error at Point.x: expected int, found str

A field made by `opaque()` lives in memory only: not written, not compared, None once read.
"""

import base64
import json
import zlib
from dataclasses import Field, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from cfp.errors import UnreadableJsonError

Noun = TypeVar("Noun")

_OPAQUE = "opaque"
_SCALARS = (bool, int, float, str, NoneType)


def opaque() -> Any:
    """A dataclass field for an object that has no meaning outside this process."""
    return field(default=None, compare=False, repr=False, metadata={_OPAQUE: True})


def encode(value: object) -> str:
    """The JSON text of a dataclass instance."""
    return json.dumps({"kind": type(value).__name__, **_encode(value)}, indent=1)


def decode(kind: type[Noun], text: str) -> Noun:
    """The instance of `kind` that `encode` wrote as `text`."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UnreadableJsonError(kind.__name__, str(error)) from error
    entries = _expect(dict, data, kind.__name__)
    if entries.pop("kind", None) != kind.__name__:
        raise UnreadableJsonError(f"{kind.__name__}.kind", f"expected {kind.__name__!r}")
    return _decode(kind, entries, kind.__name__)


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _encode(getattr(value, one.name)) for one in _written(type(value))}
    if isinstance(value, tuple):
        return [_encode(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, bytes):
        return base64.b64encode(zlib.compress(value)).decode("ascii")
    return value


def _decode(kind: Any, data: Any, place: str) -> Any:
    if is_dataclass(kind):
        return _decode_dataclass(cast("type", kind), data, place)
    if get_origin(kind) is tuple:
        return _decode_tuple(get_args(kind), data, place)
    if isinstance(kind, UnionType):
        return _decode_union(get_args(kind), data, place)
    if kind is bytes:
        return _decode_bytes(data, place)
    return _expect(kind, data, place)


def _decode_dataclass(kind: type, data: Any, place: str) -> Any:
    entries = _expect(dict, data, place)
    expected = {one.name for one in _written(kind)}
    if odd := sorted(expected.symmetric_difference(entries)):
        problem = "is missing" if odd[0] in expected else "is not a known key"
        raise UnreadableJsonError(f"{place}.{odd[0]}", problem)
    hints = _hints(kind)
    return kind(
        **{name: _decode(hints[name], item, f"{place}.{name}") for name, item in entries.items()}
    )


def _decode_tuple(kinds: tuple[Any, ...], data: Any, place: str) -> tuple[Any, ...]:
    items = _expect(list, data, place)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    if len(kinds) != len(items):
        raise UnreadableJsonError(place, f"expected {len(kinds)} items, found {len(items)}")
    return tuple(
        _decode(kind, item, f"{place}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, items, strict=True))
    )


def _decode_union(kinds: tuple[Any, ...], data: Any, place: str) -> Any:
    """One of several types: a scalar decides by its own type, all else is the non-scalar one."""
    matching = [kind for kind in kinds if type(data) is kind]
    others = [kind for kind in kinds if kind not in _SCALARS]
    return _decode((matching or others or kinds)[0], data, place)


def _decode_bytes(data: Any, place: str) -> bytes:
    text = _expect(str, data, place)
    try:
        return zlib.decompress(base64.b64decode(text, validate=True))
    except (ValueError, zlib.error) as error:
        raise UnreadableJsonError(place, f"not zlib-packed base64: {error}") from error


def _expect(kind: Any, data: Any, place: str) -> Any:
    if kind is float and type(data) is int:
        return float(data)
    if type(data) is not kind:
        problem = f"expected {kind.__name__}, found {type(data).__name__}"
        raise UnreadableJsonError(place, problem)
    return data


@cache
def _written(kind: type) -> tuple[Field[Any], ...]:
    return tuple(one for one in fields(kind) if _OPAQUE not in one.metadata)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
