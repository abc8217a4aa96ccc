"""An audit as people read it: what was compared, with the numbers, and what is wrong.

collectives of one device in one step
  kind        axis    predicted             found
  all-reduce  data    12 of 1.30 MiB        14 of 1.31 MiB
memory        predicted   compiled   error
  temporaries  40.3 MiB   41.0 MiB  -1.7 %
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfp.ir.table import paragraph, table
from cfp.ir.units import bytes_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfp.ir.audit import Audit, Numerics, ProgramAudit

SHOWN = 20  # rows of a list that grows with the step
LIBERTY = 0.01  # the share of the traffic that a compiler may add to a plan


def report(audit: Audit) -> str:
    """The whole audit, the verdict first."""
    problems = audit.problems
    verdict = _verdict(audit.program.step, problems)
    return "\n\n".join([verdict, _numerics(audit.numerics), *_program_sections(audit.program)])


def program_report(audit: ProgramAudit) -> str:
    """The part that runs nothing."""
    return "\n\n".join([_verdict(audit.step, audit.problems), *_program_sections(audit)])


def _verdict(step: str, problems: tuple[str, ...]) -> str:
    if not problems:
        return f"audit of step {step}: no problem"
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    lines = [line for one in problems for line in paragraph("  - ", one)]
    return "\n".join([f"audit of step {step}: {count}", *lines])


# ---- what is wrong


def numerics_problems(numerics: Numerics) -> Iterator[str]:
    """The results that are not those of the unsharded step."""
    for one in numerics.differences:
        if not one.ratio <= 1:
            yield (
                f"{one.result} is not that of the unsharded step: at step {one.step} its elements "
                f"differ by {one.mean:.2g} in the mean, and {one.allowed:.2g} is allowed"
            )


def program_problems(audit: ProgramAudit) -> Iterator[str]:
    """What the compiler made otherwise than was planned."""
    for one in audit.rematerializations:
        yield (
            f"{one.operation} is made whole on every device to go from {one.before} to "
            f"{one.after}: {one.source}"
        )
    for one in audit.mispartitions:
        yield (
            f"contraction {one.equation} is {one.found} on a device, and {one.decided} was "
            f"decided: {one.source}"
        )
    size = sum(one.size_bytes for one in audit.unexplained)
    found = sum(one.found_bytes for one in audit.traffic)
    if size > LIBERTY * found:
        yield (
            f"collectives that are not in the plan send {percent_text(size / found)} of all that "
            f"is sent, {bytes_text(size)} of {bytes_text(found)}"
        )


# ---- numbers

_TOLERANCE = """\
the mean difference of a result from the unsharded step's may be {safety:.0f} times what the \
unsharded step itself makes of inputs that are off by {noise:.1e}, the rounding of a sum of \
{longest} numbers of {dtype}, and that rounding of its own elements; 1 is all that is allowed."""


def _numerics(numerics: Numerics) -> str:
    said = _TOLERANCE.format(
        safety=numerics.safety,
        noise=numerics.noise,
        longest=numerics.longest_sum,
        dtype=numerics.dtype,
    )
    header = ("result", "of allowed", "at step", "mean", "allowed", "largest", "typical size")
    worst = sorted(numerics.differences, key=lambda one: -one.ratio)
    rows = [
        (
            one.result,
            f"{one.ratio:.3f}",
            one.step,
            f"{one.mean:.1e}",
            f"{one.allowed:.1e}",
            f"{one.largest:.1e}",
            f"{one.typical:.1e}",
        )
        for one in worst
    ]
    title = f"numbers over {numerics.steps} steps, {len(rows)} results: "
    return "\n".join([*paragraph(title, said), *_shown(header, rows)])


def _shown(header: tuple[str, ...], rows: Sequence[Sequence[object]]) -> list[str]:
    """The first rows of a list that grows with the step."""
    rest = len(rows) - SHOWN
    return [*table(header, rows[:SHOWN]), *([f"  … {rest} more"] if rest > 0 else [])]


# ---- the program


def _program_sections(audit: ProgramAudit) -> Iterator[str]:
    sections = (
        _collectives(audit),
        _unexplained(audit),
        _rematerializations(audit),
        _contractions(audit),
        _memory(audit),
    )
    yield from ("\n".join(lines) for lines in sections if lines)


def _collectives(audit: ProgramAudit) -> list[str]:
    header = ("kind", "axis", "planned", "bytes", "found", "bytes")
    rows = [
        (
            one.kind,
            one.axis,
            one.predicted,
            bytes_text(one.predicted_bytes),
            one.found,
            bytes_text(one.found_bytes),
        )
        for one in audit.traffic
    ]
    title = f"collectives of one device in one step, on {audit.mesh}"
    if not rows:
        return [f"{title}: none, as planned"]
    said = "; a planned reduce-scatter is an all-reduce here" if audit.platform == "cpu" else ""
    return [f"{title}{said}", *table(header, rows)]


def _unexplained(audit: ProgramAudit) -> list[str]:
    if not audit.unexplained:
        return []
    header = ("collective not in the plan", "axes", "shape", "times", "bytes", "equation, source")
    by_size = sorted(audit.unexplained, key=lambda one: (-one.size_bytes, one.instruction))
    rows = [
        (
            f"%{one.instruction}",
            one.axes,
            one.shape,
            one.times,
            bytes_text(one.size_bytes),
            f"{one.equation or 'no equation'}, {one.source}",
        )
        for one in by_size
    ]
    return _shown(header, rows)


def _rematerializations(audit: ProgramAudit) -> list[str]:
    if not audit.rematerializations:
        return ["involuntary full rematerialization: none"]
    header = ("made whole on every device", "from", "to", "source")
    rows = [(one.operation, one.before, one.after, one.source) for one in audit.rematerializations]
    return ["involuntary full rematerialization", *_shown(header, rows)]


def _contractions(audit: ProgramAudit) -> list[str]:
    seen = audit.contractions - len(audit.unseen)
    good = seen - len(audit.mispartitions)
    title = f"contractions: {audit.contractions} decided, {good} on each device as decided"
    if audit.unseen:
        title += f", {len(audit.unseen)} not found: equation {', '.join(audit.unseen[:SHOWN])}"
    header = ("equation", "decided", "found", "source")
    rows = [(one.equation, one.decided, one.found, one.source) for one in audit.mispartitions]
    return [title, *(_shown(header, rows) if rows else [])]


def _memory(audit: ProgramAudit) -> list[str]:
    header = ("memory of one device", "predicted", "compiled", "error")
    rows = [
        (name, bytes_text(expected), bytes_text(found), _error(expected, found))
        for (name, expected), (_, found) in zip(
            audit.predicted.parts, audit.compiled.parts, strict=True
        )
    ]
    return table(header, rows)


def _error(expected: int, found: int) -> str:
    return percent_text(expected / found - 1) if found else ""
