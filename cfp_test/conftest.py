"""Gives every test the marker of its folder, JAX its eight host devices, hypothesis its settings.

    cfp_test/cpu/test_trace_step.py  ->  marker `cpu`, so `pytest -m "not cpu"` leaves it out

JAX reads its environment once, when it is first imported, so the devices are asked for here, before
any test module is. An accelerator is asked for by name: `JAX_PLATFORMS=cuda,cpu pytest -m device`.

XLA:CPU spends most of a compilation on optimising in LLVM, which changes nothing of what a program
computes beyond rounding; tests run a program a few times, so they go without. (GPT of one layer
under a plan, verified: 16 s of CPU in place of 25.)
"""

import os
from importlib.metadata import version
from pathlib import Path

import hypothesis
import pytest

HOST_DEVICES = "--xla_force_host_platform_device_count=8"
QUICK_COMPILER = "--xla_backend_optimization_level=0"
MARKED_FOLDERS = ("native", "cpu", "device")

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["XLA_FLAGS"] = " ".join((os.environ.get("XLA_FLAGS", ""), HOST_DEVICES))
if os.environ["JAX_PLATFORMS"] == "cpu":
    os.environ["XLA_FLAGS"] += f" {QUICK_COMPILER}"

# The same examples in every run, and no verdict that depends on how busy the machine is.
hypothesis.settings.register_profile("cfp", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("cfp")


def pytest_report_header() -> str:
    """With what the tests run: the suite is run with more than one JAX."""
    return ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "flax", "numpy"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test by the folder of cfp_test it stands in."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)
