"""What a user can set, in one frozen value; the only reader of the environment.

Options()                     nothing is written
Options(dump_dir="dumps")     every pass writes what it made
options_from_environment()    CFP_DUMP_DIR=dumps says the same
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """dump_dir is the folder for dumps, made where it is missing; None for no dumps."""

    dump_dir: str | None = None


def options_from_environment() -> Options:
    """The options as the environment gives them; a variable set to nothing is not set."""
    return Options(dump_dir=os.environ.get("CFP_DUMP_DIR") or None)
