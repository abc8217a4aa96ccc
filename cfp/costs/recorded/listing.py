"""The recorded costs as a table, one line each, the oldest first.

entry     cost           source    size      age     program   strategy, mesh, device
f00d1234  41.2 ms ± 0.3  measured  1.02 KiB  3 days  9f31c0aa  [batch->data] on data:8, cpu
1 entry, 1.02 KiB in ~/.cache/cfp
"""

from collections.abc import Sequence
from datetime import date

from cfp.costs.recorded.collect import days_old
from cfp.costs.recorded.store import Store, Stored, Unusable
from cfp.ir.table import table
from cfp.ir.units import bytes_text

_HEADER = ("entry", "cost", "source", "size", "age", "program", "strategy, mesh, device")


def listing(store: Store, text: str, today: date) -> str:
    """The entries in which `text` occurs: in the digest, the key or the cost as they print."""
    contents = list(store.contents())
    chosen = [one for one in contents if isinstance(one, Stored) and text in _searched(one)]
    chosen.sort(key=lambda one: (one.entry.cost.when, one.file.modified_ns))
    rows = [_row(one, today) for one in chosen]
    lines = table(_HEADER, rows) if rows else []
    return "\n".join([*lines, *_totals(store, chosen, contents)])


def _row(stored: Stored, today: date) -> tuple[str, ...]:
    key, cost = stored.entry.key, stored.entry.cost
    days = days_old(stored, today)
    return (
        stored.file.path.stem[:8],
        cost.time_text,
        cost.source,
        bytes_text(stored.file.size_bytes),
        "1 day" if days == 1 else f"{days} days",
        key.program[:8],
        f"{key.strategy} on {key.mesh}, {key.device}" + (cost.failure and f": {cost.failure}"),
    )


def _searched(stored: Stored) -> str:
    key = stored.entry.key
    return "\n".join(
        (
            stored.file.path.stem,
            key.program,
            str(key),
            str(key.versions),
            " ".join(key.flags),
            str(stored.entry.cost),
        )
    )


def _totals(
    store: Store, chosen: Sequence[Stored], contents: Sequence[Stored | Unusable]
) -> list[str]:
    size = bytes_text(sum(one.file.size_bytes for one in chosen))
    count = "1 entry" if len(chosen) == 1 else f"{len(chosen)} entries"
    totals = [f"  {count}, {size} in {store.folder}"]
    if unusable := sum(isinstance(one, Unusable) for one in contents):
        totals.append(f"  {unusable} more cannot be used: `cfp cache verify` says why")
    return totals
