"""Processes that write recorded costs, and are killed while they do.

python -m cfp_test.pure.recorded_writers hammer FOLDER WRITER PUTS     writes the same few keys
python -m cfp_test.pure.recorded_writers at_random FOLDER SEED KILLS   the same, till it is killed
python -m cfp_test.pure.recorded_writers at_lines FOLDER               dies at each line in turn

The last prints what each death left under the key: "old", "new" or something else.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import cfp.costs.recorded
from cfp.costs.recorded import Store
from cfp.ir.cost import Cost, CostKey, Versions

KEYS = 4
RECORDED = str(Path(cfp.costs.recorded.__file__).parent)


def key_of(number: int) -> CostKey:
    """A key whose entry is some pages long, lest it is whole by luck."""
    flags = tuple(f"--flag_{one}=some_value" for one in range(300))
    return CostKey(
        f"program {number}",
        "[batch->data]",
        "data:8",
        "cpu",
        "measured",
        Versions("1", "2", "3"),
        flags,
    )


def cost_of(writer: int, turn: int) -> Cost:
    """A cost that tells who wrote it, and when."""
    return Cost(float(writer), turn / 8, turn + 1, "cpu", "measured", "cpu", "2026-11-21")


def hammer(folder: str, writer: str, puts: str) -> None:
    store = Store(folder)
    for turn in range(int(puts)):
        store.put(key_of(turn % KEYS), cost_of(int(writer), turn))


def at_random(folder: str, seed: str, kills: str) -> None:
    hammer(folder, "0", str(KEYS))
    moments = random.Random(int(seed))
    for writer in range(1, 1 + int(kills)):
        started, start = os.pipe()
        child = forked(partial(write_on, folder, writer, start))
        os.read(started, 1)
        time.sleep(moments.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def write_on(folder: str, writer: int, start: int) -> None:
    os.write(start, b"!")
    store = Store(folder)
    turn = 0
    while True:
        store.put(key_of(turn % KEYS), cost_of(writer, turn))
        turn += 1


def at_lines(folder: str) -> None:
    store, key = Store(folder), key_of(0)
    line, status = 0, -1
    while status != 0:
        old, new = cost_of(1, 0), cost_of(2, line)
        store.put(key, old)
        child = forked(partial(put_until, line, store, key, new))
        _, status = os.waitpid(child, 0)
        print({old: "old", new: "new"}.get(store.get(key), "neither"))
        line += 1


def put_until(line: int, store: Store, key: CostKey, cost: Cost) -> None:
    """`put`, which dies at its line number so and so, counted as they run."""
    left = line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(RECORDED):
            return None
        if event == "line":
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return trace

    sys.settrace(trace)
    store.put(key, cost)


def forked(do: Callable[[], None]) -> int:
    """The process id of a child that does this and leaves."""
    if child := os.fork():
        return child
    do()
    os._exit(0)


if __name__ == "__main__":
    {"hammer": hammer, "at_random": at_random, "at_lines": at_lines}[sys.argv[1]](*sys.argv[2:])
