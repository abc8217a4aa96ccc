"""The most memory that is alive at once, in an order that keeps it small.

    order   a = f(x)   b = g(x)   c = a + b      alive  a | a b | c over a, b | c

Of the tasks whose inputs are there, the one that frees most, less what it makes, comes first: what
compilers do that schedule for memory. The order of the ops is tried as well; the better one counts.
A task that may overwrite does so: its result takes the place of an operand of the same size that
nobody else needs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from cfp.costs.buffers import Buffer, Buffers, Task


@dataclass(frozen=True)
class Sizes:
    """Bytes on one device: of each buffer, and what a task needs besides while it runs.

    A buffer without a size here lies elsewhere: among the arguments or the results.
    """

    of_buffer: Mapping[Buffer, int]
    beside_task: Mapping[int, int]


def peak_bytes(buffers: Buffers, sizes: Sizes, region: int = 0) -> int:
    """The most that is alive while a region runs, the loops in it included."""
    tasks = buffers.tasks(region)
    within = {
        task.op: max((peak_bytes(buffers, sizes, one) for one in task.regions), default=0)
        + sizes.beside_task.get(task.op, 0)
        for task in tasks
    }
    kept = buffers.outlast(region)
    own = {one: size for one, size in sizes.of_buffer.items() if buffers.region_of(one) == region}
    orders = (tasks, _frugal_order(tasks, own, kept))
    return min(_peak_of(order, buffers, own, within, kept) for order in orders)


def _peak_of(
    tasks: Sequence[Task],
    buffers: Buffers,
    size: Mapping[Buffer, int],
    within: Mapping[int, int],
    kept: frozenset[Buffer],
) -> int:
    last = {one: place for place, task in enumerate(tasks) for one in (*task.makes, *task.reads)}
    made = {one for task in tasks for one in task.makes}
    alive = sum(size.get(one, 0) for one in last if one not in made)
    peak = alive
    for place, task in enumerate(tasks):
        touched = task.reads.union(task.makes)
        ends = {one for one in touched if last[one] == place and one not in kept}
        free = (ends & made).difference(task.makes) if buffers.may_overwrite(task) else ()
        alive += sum(size.get(one, 0) for one in task.makes)
        peak = max(peak, alive - _spared(task.makes, free, size) + within[task.op])
        alive -= sum(size.get(one, 0) for one in ends)
    return peak


def _spared(
    makes: Iterable[Buffer], overwritten: Iterable[Buffer], size: Mapping[Buffer, int]
) -> int:
    """The bytes of the results that take the place of an operand."""
    free = [size.get(one, 0) for one in overwritten]
    spared = 0
    for one in makes:
        if size.get(one, 0) in free:
            free.remove(size.get(one, 0))
            spared += size.get(one, 0)
    return spared


def _frugal_order(
    tasks: Sequence[Task], size: Mapping[Buffer, int], kept: frozenset[Buffer]
) -> list[Task]:
    """Tasks that free most come first; among equals, the order of the ops."""
    queue = _Queue(tasks, size, kept)
    order: list[Task] = []
    while (place := queue.pop()) is not None:
        order.append(tasks[place])
        queue.done(place)
    return order


class _Queue:
    """The tasks that can run, ordered by how little they add to what is alive.

    A task is queued again when it would free more than before: what it says first is right.
    """

    def __init__(
        self, tasks: Sequence[Task], size: Mapping[Buffer, int], kept: frozenset[Buffer]
    ) -> None:
        self._tasks = tasks
        self._size = size
        self._kept = kept
        self._readers: dict[Buffer, set[int]] = {}
        for place, task in enumerate(tasks):
            for one in task.reads:
                self._readers.setdefault(one, set()).add(place)
        made = {one for task in tasks for one in task.makes}
        self._missing = [len(task.reads & made - {*task.makes}) for task in tasks]
        self._ready: list[tuple[int, int]] = []
        self._popped: set[int] = set()
        for place in range(len(tasks)):
            self._push(place)

    def pop(self) -> int | None:
        """The next task, once each; None when there are no more."""
        while self._ready:
            _, place = heappop(self._ready)
            if place not in self._popped:
                self._popped.add(place)
                return place
        return None

    def done(self, place: int) -> None:
        """Queues what can run now, and again what now frees more."""
        for one in self._tasks[place].reads:
            self._readers[one].discard(place)
            if len(self._readers[one]) == 1:
                self._push(*self._readers[one])
        for one in self._tasks[place].makes:
            for reader in self._readers.get(one, ()):
                self._missing[reader] -= 1
                self._push(reader)

    def _push(self, place: int) -> None:
        if not self._missing[place]:
            heappush(self._ready, (self._growth(place), place))

    def _growth(self, place: int) -> int:
        """What is alive after the task, less what was before."""
        task = self._tasks[place]
        ends = [one for one in task.reads if len(self._readers[one]) == 1]
        freed = sum(self._size.get(one, 0) for one in ends if one not in self._kept)
        return sum(self._size.get(one, 0) for one in task.makes) - freed
