"""Values that the partitioner replicates on every device, only to cut them otherwise.

    [SPMD] Involuntary full rematerialization. The compiler cannot go from sharding {A} to {B}
    efficiently for HLO operation %reshape.3 = f32[4,8,16] reshape(%tanh.0), …cfp:12/reshape"…

It writes this on the standard error of the process while it compiles, and nowhere else. So an audit
compiles with that caught; all that was caught is passed on. File descriptor 2 is one for the whole
process: what other threads write meanwhile comes late, and one audit waits for another. Where the
user has silenced the log (TF_CPP_MIN_LOG_LEVEL of 2 or more), nothing is caught.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from cfp.audit.sources import source_of
from cfp.ir.audit import Rematerialization
from cfp.ir.step import TracedStep

Made = TypeVar("Made")

_STDERR = 2
_ONE_AT_A_TIME = Lock()
_WARNING = re.compile(
    r"Involuntary full rematerialization\. The compiler cannot go from sharding (?P<before>.*?) to "
    r"(?P<after>.*?) efficiently for HLO operation (?P<operation>.*?)\. As the last resort"
)
_TAG = re.compile(r"cfp:(\d+(?:/\d+)*)(?=[/)\"]|$)")


def with_stderr(make: Callable[[], Made]) -> tuple[Made, str]:
    """What `make()` gives, and what it wrote on the standard error, which is passed on."""
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        kept = os.dup(_STDERR)
        try:
            os.dup2(caught.fileno(), _STDERR)
            made = make()
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            caught.seek(0)
            text = caught.read()
            os.write(_STDERR, text)
    return made, text.decode(errors="replace")


def read_rematerializations(log: str, step: TracedStep) -> tuple[Rematerialization, ...]:
    """The warnings in what a compiler wrote, each once."""
    told = (_told(found, step) for found in _WARNING.finditer(log))
    return tuple(dict.fromkeys(told))


def _told(found: re.Match[str], step: TracedStep) -> Rematerialization:
    operation = found["operation"]
    tags = _TAG.findall(operation)
    return Rematerialization(
        operation=operation.partition(", sharding=")[0].partition(", metadata=")[0],
        before=found["before"],
        after=found["after"],
        source=source_of(step, tags[-1] if tags else ""),
    )
