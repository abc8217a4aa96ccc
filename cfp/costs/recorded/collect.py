"""Makes room: removes what no run will read again, and what is beyond a limit.

    removable(store, Limits(days=90), now)      what would go, each file with the reason
    collect(store, Limits(days=90), now)        removes that, and returns it

Always: damaged entries, and what a writer left that was stopped more than an hour ago. On demand:
entries of other versions, older than some days, or beyond a total size, the oldest first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime

from cfp.costs.recorded.store import Store, Stored, Unusable
from cfp.costs.recorded.whole_file import Found, remove
from cfp.errors import DamagedCostError, ForeignCostError
from cfp.ir.cost import Versions
from cfp.ir.units import bytes_text

_WRITING_TAKES_LESS_S = 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """What may stay; None where there is no such limit.

    - days: an entry found that many days ago stays, an older one goes.
    - size_bytes: of all entries together.
    - versions: entries of others go; a version that is empty here decides nothing.
    """

    days: int | None = None
    size_bytes: int | None = None
    versions: Versions | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """A file that goes, and why."""

    file: Found
    reason: str


def removable(store: Store, limits: Limits, now: datetime) -> tuple[Removal, ...]:
    """What `collect` would remove; nothing is touched."""
    contents = list(store.contents())
    stored = [one for one in contents if isinstance(one, Stored)]
    unusable = [one for one in contents if isinstance(one, Unusable)]
    judged = [(one, _reason(one, limits, now.date())) for one in stored]
    return (
        *_abandoned(store, now),
        *_spoilt(unusable, limits),
        *(Removal(one.file, reason) for one, reason in judged if reason),
        *_beyond([one for one, reason in judged if not reason], limits.size_bytes),
    )


def collect(store: Store, limits: Limits, now: datetime) -> tuple[Removal, ...]:
    """Removes all that, except what was written anew meanwhile; what it removed."""
    return tuple(one for one in removable(store, limits, now) if remove(one.file))


def days_old(stored: Stored, today: date) -> int:
    """How long ago the cost was found."""
    return max((today - date.fromisoformat(stored.entry.cost.when)).days, 0)


def _abandoned(store: Store, now: datetime) -> Iterator[Removal]:
    for one in store.leftovers():
        if now.timestamp() - one.modified_ns / 1e9 > _WRITING_TAKES_LESS_S:
            yield Removal(one, "left by a writer that was stopped")


def _spoilt(unusable: Iterable[Unusable], limits: Limits) -> Iterator[Removal]:
    """A file that could not be opened may be whole: it stays."""
    for one in unusable:
        if isinstance(one.error, DamagedCostError):
            yield Removal(one.file, "damaged")
        elif isinstance(one.error, ForeignCostError) and limits.versions:
            yield Removal(one.file, "of another version of cfp")


def _reason(stored: Stored, limits: Limits, today: date) -> str:
    """Why an entry goes for its own sake; empty where it may stay."""
    if limits.versions and (other := _other(stored.entry.key.versions, limits.versions)):
        return f"of {other}"
    if limits.days is not None and (days := days_old(stored, today)) > limits.days:
        return f"{days} days old"
    return ""


def _other(found: Versions, here: Versions) -> str:
    """`jax 0.10.1` where that is not the version here; empty where all are."""
    theirs = asdict(found)
    return ", ".join(
        f"{name} {theirs[name] or 'unknown'}"
        for name, version in asdict(here).items()
        if version and theirs[name] != version
    )


def _beyond(stored: Iterable[Stored], size_bytes: int | None) -> Iterator[Removal]:
    """The oldest, until the others are not larger together than they may be."""
    if size_bytes is None:
        return
    oldest_first = sorted(stored, key=lambda one: (one.entry.cost.when, one.file.modified_ns))
    total = sum(one.file.size_bytes for one in oldest_first)
    for one in oldest_first:
        if total <= size_bytes:
            return
        total -= one.file.size_bytes
        yield Removal(one.file, f"beyond {bytes_text(size_bytes)}")
