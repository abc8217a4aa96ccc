"""Arguments of a step by pattern: a whole name, its beginning, or with `*` for any text.

state.params['wte']    that array alone
state.params           every array in it
state.*['kernel']      every kernel of the state
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from cfp.errors import UnknownArgumentError
from cfp.ir.step import TracedStep


def matching(step: TracedStep, pattern: str, where: str) -> tuple[int, ...]:
    """The numbers of the arguments that a pattern matches; an error where it matches none."""
    text = ".*".join(map(re.escape, pattern.split("*")))
    matches = re.compile(rf"{text}(?:[.\[].*)?").fullmatch
    numbers = tuple(number for number, one in enumerate(step.arguments) if matches(one.name))
    if not numbers:
        names = [one.name for one in step.arguments]
        raise UnknownArgumentError(step.name, pattern, _closest(pattern, names), where)
    return numbers


def _closest(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(get_close_matches(pattern, names, n=3, cutoff=0.5) or names[:3])
