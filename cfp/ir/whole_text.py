"""Texts that replace a file only once they are whole.

write_whole("gpt.plan.json", text)    .gpt.plan.json.5c1f… beside it, which then takes its place
"""

from os import PathLike
from pathlib import Path
from uuid import uuid4


def write_whole(path: str | PathLike[str], text: str) -> None:
    """Writes beside the file and then takes its place; OSError where the system refuses."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
