"""Step factories: how a step and its arguments are named on a command line.

A factory is any function whose parameters have defaults of type int, float, str or bool, and which
returns `(step, args)` or `(step, args, kwargs)`. Its signature is the list of its flags:

    def gpt(*, num_layer: int = 4, scan: bool = False): ...

    factory = load_factory("models.gpt:gpt")              or "path/to/models/gpt.py:gpt"
    build_step(factory, ["--num_layer", "8", "--scan"])    calls gpt(num_layer=8, scan=True)
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from cfp.errors import (
    FactoryNotFoundError,
    FactoryResultError,
    FlagValueError,
    UnknownFlagError,
    UnsuitableFactoryError,
)

Value = int | float | str | bool

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True)
class Factory:
    """A function that makes steps, under the name the user gave for it."""

    name: str
    function: Callable[..., Any]


@dataclass(frozen=True)
class Flag:
    """A parameter of a factory as the command line sees it: `--num_layer int (default 4)`."""

    name: str
    type: type[Value]
    default: Value

    def __str__(self) -> str:
        return f"--{self.name} {self.type.__name__} (default {self.default!r})"


@dataclass(frozen=True)
class BuiltStep:
    """What a factory returns."""

    step: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def load_factory(specification: str) -> Factory:
    """The factory at `package.module:function` or `path/to/file.py:function`."""
    source, colon, name = specification.rpartition(":")
    if not (source and colon and name):
        raise FactoryNotFoundError(specification, "there is no `:` between module and function")
    load = _load_file if source.endswith(".py") else importlib.import_module
    try:
        module = load(source)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise FactoryNotFoundError(specification, problem) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise FactoryNotFoundError(specification, f"{source} has no function {name}")
    return Factory(specification, function)


def flags_of(factory: Factory) -> tuple[Flag, ...]:
    """The flags of a factory, in the order of its parameters."""
    parameters = inspect.signature(factory.function, eval_str=True).parameters.values()
    return tuple(
        _flag(factory, one)
        for one in parameters
        if one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    )


def describe_flags(factory: Factory) -> str:
    """What a factory makes, in its own words, and its flags: the text of `--help`."""
    words = inspect.getdoc(factory.function) or "No description."
    flags = [f"  {flag}" for flag in flags_of(factory)] or ["  none"]
    return "\n".join([f"{factory.name}: {words}", "", "flags:", *flags])


def parse_flags(factory: Factory, words: Sequence[str]) -> dict[str, Value]:
    """`["--num_layer", "8", "--scan"]` to `{"num_layer": 8, "scan": True}`; the last one wins.

    `--name=value`, `--name value`, and `--name` alone for a bool; `-` and `_` are the same.
    """
    flags = {flag.name: flag for flag in flags_of(factory)}
    values: dict[str, Value] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, text = word.removeprefix("--").partition("=")
        flag = flags.get(name.replace("-", "_"))
        if flag is None or not word.startswith("--"):
            raise _unknown_flag(factory, word, name)
        if not equals:
            text = rest.pop(0) if rest and not rest[0].startswith("--") else None
        values[flag.name] = _value(factory, flag, text)
    return values


def build_step(factory: Factory, words: Sequence[str] = ()) -> BuiltStep:
    """Calls the factory with the flags in `words`."""
    result: Any = factory.function(**parse_flags(factory, words))
    match result:
        case (step, args) if _are_parts(step, args, {}):
            return BuiltStep(step, args, {})
        case (step, args, kwargs) if _are_parts(step, args, kwargs):
            return BuiltStep(step, args, kwargs)
        case (*parts,):
            kinds = ", ".join(type(part).__name__ for part in parts)
            raise FactoryResultError(factory.name, f"({kinds})")
        case _:
            raise FactoryResultError(factory.name, type(result).__name__)


def _are_parts(step: object, args: object, kwargs: object) -> bool:
    return callable(step) and isinstance(args, tuple) and isinstance(kwargs, dict)


def _load_file(path: str) -> ModuleType:
    """Imports a file as Python runs a script: the files beside it can be imported by it."""
    file = Path(path).resolve()
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    specification = importlib.util.spec_from_file_location(file.stem, file)
    if specification is None or specification.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _flag(factory: Factory, parameter: inspect.Parameter) -> Flag:
    default, annotation = parameter.default, parameter.annotation
    if default is inspect.Parameter.empty:
        raise UnsuitableFactoryError(factory.name, parameter.name, "it has no default")
    kind = default.__class__ if annotation is inspect.Parameter.empty else annotation
    if kind not in (int, float, str, bool):
        problem = f"its type is {getattr(kind, '__name__', kind)}"
        raise UnsuitableFactoryError(factory.name, parameter.name, problem)
    return Flag(parameter.name, kind, default)


def _value(factory: Factory, flag: Flag, text: str | None) -> Value:
    kind = flag.type
    if kind is bool and text is None:
        return True
    if text is None:
        raise FlagValueError(factory.name, f"--{flag.name}", kind.__name__, "nothing")
    try:
        return _BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError) as error:
        raise FlagValueError(factory.name, f"--{flag.name}", kind.__name__, repr(text)) from error


def _unknown_flag(factory: Factory, word: str, name: str) -> UnknownFlagError:
    flags = flags_of(factory)
    close = get_close_matches(name.replace("-", "_"), [flag.name for flag in flags], n=1)
    known = "".join(f"\n           {flag}" for flag in flags) or " none"
    return UnknownFlagError(factory.name, word, f"--{close[0]}" if close else "", known)
