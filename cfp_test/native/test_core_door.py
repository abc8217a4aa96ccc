"""cfp/_native.py where the extension is missing or old: an error with a cure."""

import sys

import pytest

import cfp
from cfp import _cfp_core, _native
from cfp.errors import MissingCoreError, OutdatedCoreError
from cfp.passes.analyze_hlo import analyze_module


@pytest.fixture(autouse=True)
def _core_is_loaded_anew() -> None:
    _native.load_core.cache_clear()


def test_a_missing_core_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cfp, "_cfp_core")
    monkeypatch.setitem(sys.modules, "cfp._cfp_core", None)
    with pytest.raises(MissingCoreError, match="_cfp_core"):
        analyze_module(b"")


def test_an_old_core_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cfp_core, "__version__", "0.0.1")
    with pytest.raises(OutdatedCoreError, match=r"version 0\.0\.1, and this cfp needs"):
        analyze_module(b"")
