"""Text in columns, at most 100 wide: the last column is wrapped under itself, at blanks.

block   FLOPs  members
    0   92.3 %  6: B5 2, B10.2 4
    1    7.7 %  12: B5 2, B10.2 6, B10.8 3,
                B10.9 1
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 100
_GAP = "  "
_NO_BREAK = "\N{NO-BREAK SPACE}"
_NUMBER = re.compile(r"[-+\d.,]+( %| \w+)?$")


def table(header: Sequence[str], rows: Sequence[Sequence[object]], indent: int = 2) -> list[str]:
    """The lines of a table; a column that holds numbers alone is flush right."""
    texts = [[str(cell) for cell in row] for row in rows]
    columns = list(zip(header, *texts, strict=True))[:-1]
    widths = [max(map(len, column)) for column in columns]
    flush_right = [all(_NUMBER.match(cell) for cell in column[1:] if cell) for column in columns]
    lines: list[str] = []
    for row in [list(header), *texts]:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row[:-1], widths, flush_right, strict=True)
        ]
        lines += _wrapped(" " * indent + "".join(cell + _GAP for cell in cells), row[-1])
    return lines


def _wrapped(start: str, last: str) -> Iterator[str]:
    room = max(WIDTH - len(start), 20)
    lines = textwrap.wrap(last, room, break_long_words=False, break_on_hyphens=False) or [""]
    for indent, line in zip([start, *[" " * len(start)] * len(lines)], lines, strict=False):
        yield (indent + line.replace(_NO_BREAK, " ")).rstrip()


def unbroken(text: object) -> str:
    """The text with its blanks kept together when it is wrapped."""
    return str(text).replace(" ", _NO_BREAK)


def paragraph(start: str, text: str) -> list[str]:
    """`start`, then `text` wrapped under itself."""
    return list(_wrapped(start, text))
