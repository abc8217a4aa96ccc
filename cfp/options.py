"""What a user can set, in one frozen value; the only reader of the environment.

Options()                     nothing is written
Options(dump_dir="dumps")     every pass writes what it made
options_from_environment()    CFP_DUMP_DIR=dumps says the same

Costs are recorded in the folder that is named first by: a word on the command line or a field of
Options; CFP_CACHE_DIR; XDG_CACHE_HOME, as its folder cfp; the home of the user, as .cache/cfp.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What is written, and where.

    - dump_dir: the folder for dumps, made where it is missing; None for no dumps.
    - cache_dir: the folder in which costs are recorded, likewise; None for none.
    """

    dump_dir: str | None = None
    cache_dir: str | None = None


def options_from_environment() -> Options:
    """The options as the environment gives them; a variable set to nothing is not set."""
    return Options(dump_dir=os.environ.get("CFP_DUMP_DIR") or None, cache_dir=_cache_dir())


def _cache_dir() -> str | None:
    """None for a user without a home; a relative XDG_CACHE_HOME counts for nothing, as XDG says."""
    if named := os.environ.get("CFP_CACHE_DIR"):
        return named
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if caches.is_absolute():
        return str(caches / "cfp")
    try:
        return str(Path.home() / ".cache" / "cfp")
    except RuntimeError:
        return None
