"""The user's line of a path that was read off a compiled program."""

from cfp.ir.step import TracedStep

UNKNOWN = "unknown"


def source_of(step: TracedStep, equation: str) -> str:
    """`model.py:12 in attend`; `unknown` where the compiler forgot which equation it was."""
    known = {one.path for one in step.equations}
    return step.equation(equation).source if equation in known else UNKNOWN
