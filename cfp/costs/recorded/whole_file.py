"""Files that are there whole or not at all, whatever happens while they are written.

    write_whole(path, text)      another file beside it, forced to the disk, takes its place
    read_whole(path)             its bytes, None where there is none
    one = Found.at(path)         this very file: one that takes its place later is another
    remove(one)                  removes it, and not one that took its place meanwhile

What the system refuses is a CacheFileError.
"""

import contextlib
import errno
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from cfp.errors import CacheFileError

TEMPORARY = ".tmp"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was met."""

    path: Path
    inode: int
    modified_ns: int
    size_bytes: int

    @classmethod
    def at(cls, path: Path) -> "Found | None":
        """The file that has this name now."""
        with _told(path, "read"), contextlib.suppress(FileNotFoundError):
            met = path.lstat()
            return cls(path, met.st_ino, met.st_mtime_ns, met.st_size)


def write_whole(path: Path, text: str) -> None:
    """Gives `path` this content; a reader sees the old one or the new one."""
    with _told(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = _beside(path)
        try:
            _write(draft, text)
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        _force_to_disk(path.parent)


def read_whole(path: Path) -> bytes | None:
    """The content of a file."""
    with _told(path, "read"), contextlib.suppress(FileNotFoundError):
        return path.read_bytes()


def files_in(folder: Path) -> list[Path]:
    """All that is in a folder, by name; nothing where there is no folder."""
    with _told(folder, "listed"), contextlib.suppress(FileNotFoundError):
        return sorted(folder.iterdir())
    return []


def remove(found: Found) -> bool:
    """Whether that file was there and is gone.

    It is taken aside first, where no writer can replace it any more. If it then proves to be
    another file, written since, it goes back: a recorded cost is never removed by mistake.
    """
    aside = _beside(found.path)
    with _told(found.path, "removed"), contextlib.suppress(FileNotFoundError):
        found.path.rename(aside)
        held = aside.lstat()
        if (held.st_ino, held.st_mtime_ns) == (found.inode, found.modified_ns):
            aside.unlink()
            return True
        aside.replace(found.path)
    return False


def _write(draft: Path, text: str) -> None:
    with os.fdopen(os.open(draft, _NEW, 0o666), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path) -> Path:
    """A name that no other process thinks of."""
    return path.with_name(f".{path.name}.{uuid4().hex}{TEMPORARY}")


def _force_to_disk(folder: Path) -> None:
    """Makes new names last; file systems that cannot do so for a folder say EINVAL."""
    handle = os.open(folder, _FOLDER)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def _told(path: Path, wanted: str) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise CacheFileError(str(path), wanted, error.strerror or str(error)) from error
