"""The tutorial's code runs as it stands, in a process of its own with its own eight devices."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"


def code() -> str:
    """All Python blocks of the tutorial, in order."""
    return "\n".join(re.findall(r"```python\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL))


def test_the_tutorial_runs(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    run = subprocess.run(
        [sys.executable, "-c", code()],
        cwd=tmp_path,
        env={**environment, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for told in ("data:4 x megatron:2", "fsdp:8", "It needs JAX alone"):
        assert told in run.stdout
