"""What a program prints in two processes that hash otherwise: one text, or it depends on that."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def printed_by_two_processes(program: str, *words: str) -> set[str]:
    """All texts that it prints: one, where hashes do not matter to it."""
    return {
        subprocess.run(
            [sys.executable, "-c", program, *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
