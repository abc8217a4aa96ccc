"""The folder of recorded costs: one file per cost, named by the digest of its key.

    ~/.cache/cfp/f0/f00d….json

A file that is not as it was written counts as absent, and stays until a new cost takes its place
or `collect` removes it: reading never deletes, so it can never delete what was written meanwhile.
It is told by Python's own warnings, which a caller can filter, record or turn into errors, and
which need no set-up in the worker processes in which costs are found.
"""

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cfp.costs.recorded.entry import Entry, entry_in, place_of
from cfp.costs.recorded.whole_file import TEMPORARY, Found, files_in, read_whole, write_whole
from cfp.errors import CacheFileError, CfpError
from cfp.ir.cost import Cost, CostKey

_FOLDER = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(r"[0-9a-f]{64}\.json")
_LEFTOVER = re.compile(rf"\.+{_ENTRY.pattern}\..*{re.escape(TEMPORARY)}")


class CacheWarning(UserWarning):
    """A recorded cost cannot be used, or a cost cannot be recorded; the run goes on."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry and its file."""

    file: Found
    entry: Entry


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that should hold an entry, and why it does not."""

    file: Found
    error: CfpError


class Store:
    """The recorded costs of one folder, which need not exist yet."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def get(self, key: CostKey) -> Cost | None:
        """The cost recorded under a key; None with a CacheWarning where it cannot be trusted."""
        try:
            entry = _read(self.folder / place_of(key))
        except CfpError as error:
            warnings.warn(str(error), CacheWarning, stacklevel=2)
            return None
        return entry and entry.cost

    def put(self, key: CostKey, cost: Cost) -> None:
        """Records a cost, for good when this returns; of two writers the last one wins."""
        entry = Entry(key, cost)
        entry.verify()
        write_whole(self.folder / entry.place, entry.to_text())

    def keep(self, key: CostKey, cost: Cost) -> None:
        """`put` for a run that must go on: where it cannot be recorded, a CacheWarning says so."""
        try:
            self.put(key, cost)
        except CacheFileError as error:
            warnings.warn(str(error), CacheWarning, stacklevel=2)

    def entries(self) -> Iterator[Stored]:
        """All that can be used, by digest."""
        return (one for one in self.contents() if isinstance(one, Stored))

    def contents(self) -> Iterator[Stored | Unusable]:
        """Every file that should hold an entry, by digest."""
        for file in self._files(_ENTRY):
            try:
                if entry := _read(file.path):
                    yield Stored(file, entry)
            except CfpError as error:
                yield Unusable(file, error)

    def leftovers(self) -> Iterator[Found]:
        """What writers began and have not finished, or not yet."""
        return self._files(_LEFTOVER)

    def _files(self, name: re.Pattern[str]) -> Iterator[Found]:
        for folder in files_in(self.folder):
            for path in files_in(folder) if _FOLDER.fullmatch(folder.name) else ():
                if name.fullmatch(path.name) and (file := Found.at(path)):
                    yield file


def _read(path: Path) -> Entry | None:
    """The entry in a file; None where there is none, or no more."""
    text = read_whole(path)
    return None if text is None else entry_in(text, path)
