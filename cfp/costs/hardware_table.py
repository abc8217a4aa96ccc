"""Hardware by name or from a file.

    load_device("h100-sxm")                     cfp/costs/hardware/devices/h100-sxm.json
    load_device("my/h100.json")                 a file that `Device.to_json` wrote
    load_network("switch:8 of 18 nvlink-4, tree:4 of 8 infiniband-ndr")
    load_network("ring:4 of ici-v5p x ring:4 of ici-v5p x ring:8 of ici-v5p")

A text describes a network from the inside, as `str` shows it: levels after commas, the dimensions
of a grid after x.
"""

import re
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import TypeVar

from cfp.errors import (
    CfpError,
    UnknownHardwareError,
    UnreadableFileError,
    UnreadableNetworkError,
)
from cfp.ir.hardware import Device, Link
from cfp.ir.network import FORMS, Network, Wiring
from cfp.ir.whole_text import write_whole

_TABLES = Path(__file__).parent / "hardware"
_FILE = ".json"
_WIRING = re.compile(
    r"(\w+):(\d+) of (?:(\d+) )?([\w.-]+?)(?: ([\d.]+) times oversubscribed)?", re.ASCII
)


_Noun = TypeVar("_Noun", Device, Link, Network)


def device_names() -> tuple[str, ...]:
    """The devices that have a table."""
    return _names("devices")


def link_names() -> tuple[str, ...]:
    """The links that have a table."""
    return _names("links")


def load_device(name: str) -> Device:
    """A device of the tables, or of a file whose name ends in .json."""
    return _load(Device, "device", name)


def load_link(name: str) -> Link:
    """A link of the tables, or of a file whose name ends in .json."""
    return _load(Link, "link", name)


def load_network(text: str) -> Network:
    """The network that a text describes, or of a file whose name ends in .json."""
    if text.endswith(_FILE):
        return _read(Network, Path(text))
    levels = [re.split(r"\s+x\s+", level.strip()) for level in text.split(",")]
    network = Network(text, tuple(tuple(_wiring(part, text) for part in one) for one in levels))
    network.verify()
    return network


def save_hardware(noun: Device | Link | Network, path: str | PathLike[str]) -> None:
    """Writes a hardware file; it takes its place only when it is whole."""
    try:
        write_whole(path, noun.to_json() + "\n")
    except OSError as error:
        raise UnreadableFileError(str(path), error.strerror or str(error)) from error


def _wiring(part: str, text: str) -> Wiring:
    match = _WIRING.fullmatch(part)
    if not match:
        raise UnreadableNetworkError(text, f"{part!r} is not form:size of links")
    form, size, links, link, oversubscription = match.groups()
    if form not in FORMS:
        raise UnreadableNetworkError(text, f"{form!r} is no form")
    return Wiring(form, int(size), load_link(link), int(links or 1), float(oversubscription or 1))


def _names(table: str) -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in (_TABLES / table).glob(f"*{_FILE}")))


def _load(kind: type[_Noun], table: str, name: str) -> _Noun:
    if name.endswith(_FILE):
        return _read(kind, Path(name))
    names = _names(f"{table}s")
    if name not in names:
        near = get_close_matches(name.lower(), names, n=3, cutoff=0.4) or names
        raise UnknownHardwareError(table, name, tuple(near))
    return _read(kind, _TABLES / f"{table}s" / f"{name}{_FILE}")


def _read(kind: type[_Noun], path: Path) -> _Noun:
    """The noun in a file; where its text is refused, the error names the file too."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(
            str(path), getattr(error, "strerror", "") or str(error)
        ) from error
    try:
        return kind.from_json(text)
    except CfpError as error:
        error.add_note(f"  file:  {path}")
        raise
