"""Picks a model's configuration by name and applies the command line's overrides.

choose_config(CONFIGS, "B", layers=2, seq_len=0)   # B, but only two layers, its own seq_len
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

Config = TypeVar("Config")


def choose_config(configs: Mapping[str, Config], name: str, **overrides: int) -> Config:
    """The configuration called `name`; an override of 0 keeps the configuration's own value."""
    if name not in configs:
        raise ValueError(f"no configuration {name!r}; choose one of: {', '.join(configs)}.")
    given: dict[str, Any] = {field: value for field, value in overrides.items() if value}
    return replace(configs[name], **given)  # type: ignore[type-var]
