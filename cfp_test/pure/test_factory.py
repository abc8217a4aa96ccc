"""Step factories: found by name, read by signature, called with flags."""

import os.path
from pathlib import Path
from typing import Any

import pytest

from cfp import errors
from cfp.formats.factory import (
    BuiltStep,
    Factory,
    build_step,
    describe_flags,
    load_factory,
    parse_flags,
)


def step(x: object) -> object:
    return x


def small_model(
    *, num_layer: int = 4, rate: float = 0.1, dtype: str = "float32", scan: bool = False
):
    """A small model.

    More about it.
    """
    return step, (num_layer, rate, dtype, scan)


FACTORY = Factory("models:small", small_model)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("", {}),
        ("--num_layer 8", {"num_layer": 8}),
        ("--num_layer=8 --num_layer=9", {"num_layer": 9}),
        ("--num-layer 8 --dtype bfloat16", {"num_layer": 8, "dtype": "bfloat16"}),
        ("--rate -1e-3", {"rate": -1e-3}),
        ("--scan", {"scan": True}),
        ("--scan --rate 2", {"scan": True, "rate": 2.0}),
        ("--scan true", {"scan": True}),
        ("--scan=False", {"scan": False}),
        ("--dtype=", {"dtype": ""}),
    ],
)
def test_flags_are_read_by_the_signature(words: str, values: dict[str, object]) -> None:
    found = parse_flags(FACTORY, words.split())
    assert found == values
    assert [type(one) for one in found.values()] == [type(one) for one in values.values()]


FLAGS = """
           --num_layer int (default 4)
           --rate float (default 0.1)
           --dtype str (default 'float32')
           --scan bool (default False)"""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            "--num_layers 8",
            errors.UnknownFlagError("models:small", "--num_layers", "--num_layer", FLAGS),
        ),
        ("--width 8", errors.UnknownFlagError("models:small", "--width", "", FLAGS)),
        ("8", errors.UnknownFlagError("models:small", "8", "", FLAGS)),
        ("num_layer", errors.UnknownFlagError("models:small", "num_layer", "--num_layer", FLAGS)),
        ("--num_layer four", errors.FlagValueError("models:small", "--num_layer", "int", "'four'")),
        ("--num_layer", errors.FlagValueError("models:small", "--num_layer", "int", "nothing")),
        (
            "--num_layer --scan",
            errors.FlagValueError("models:small", "--num_layer", "int", "nothing"),
        ),
        ("--scan maybe", errors.FlagValueError("models:small", "--scan", "bool", "'maybe'")),
    ],
)
def test_other_words_are_refused(words: str, error: errors.CfpError) -> None:
    with pytest.raises(type(error)) as found:
        parse_flags(FACTORY, words.split())
    assert str(found.value) == str(error)


def test_help_comes_from_signature_and_docstring() -> None:
    assert describe_flags(FACTORY) == (
        "models:small: A small model.\n\nMore about it.\n\nflags:\n"
        "  --num_layer int (default 4)\n"
        "  --rate float (default 0.1)\n"
        "  --dtype str (default 'float32')\n"
        "  --scan bool (default False)"
    )


def without_default(layers: int): ...
def of_another_type(layers: tuple[int, ...] = ()): ...
def annotated_in_words(layers: "int" = 4, *args: Any, width=2.5, **more: Any): ...


def test_types_are_found_behind_strings_and_defaults() -> None:
    words = ["--layers", "8", "--width", "1"]
    assert parse_flags(Factory("f", annotated_in_words), words) == {"layers": 8, "width": 1.0}


@pytest.mark.parametrize(
    ("unsuitable", "problem"),
    [(without_default, "it has no default"), (of_another_type, "its type is tuple")],
)
def test_a_parameter_that_no_flag_can_set(unsuitable, problem: str) -> None:
    with pytest.raises(errors.UnsuitableFactoryError) as found:
        parse_flags(Factory("f", unsuitable), [])
    expected = errors.UnsuitableFactoryError("f", "layers", problem)
    assert str(found.value) == str(expected)


def test_a_pair_or_a_triple_is_built() -> None:
    assert build_step(FACTORY, ["--num_layer", "2"]) == BuiltStep(
        step, (2, 0.1, "float32", False), {}
    )
    assert build_step(Factory("f", lambda: (step, (), {"x": 3}))) == BuiltStep(step, (), {"x": 3})


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (step, "function"),
        ("ab", "str"),
        ((), "()"),
        ((step, [1]), "(function, list)"),
        ((1, ()), "(int, tuple)"),
        ((step, (), 5), "(function, tuple, int)"),
    ],
)
def test_another_result_is_refused(result: object, found: str) -> None:
    with pytest.raises(errors.FactoryResultError) as error:
        build_step(Factory("odd", lambda: result))
    assert str(error.value) == str(errors.FactoryResultError("odd", found))


def test_a_factory_in_a_module() -> None:
    assert load_factory("os.path:join") == Factory("os.path:join", os.path.join)


def test_a_factory_in_a_file_sees_the_files_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", ["/nowhere"])
    (tmp_path / "beside_the_model.py").write_text("WIDTH = 6")
    (tmp_path / "model.py").write_text(
        "from beside_the_model import WIDTH\ndef make(): return max, (WIDTH,)"
    )
    assert build_step(load_factory(f"{tmp_path}/model.py:make")).args == (6,)


@pytest.mark.parametrize(
    ("specification", "problem"),
    [
        ("model", "there is no `:` between module and function"),
        (":make", "there is no `:` between module and function"),
        ("no_such_module:make", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("os.path:no_such", "os.path has no function no_such"),
        ("os.path:sep", "os.path has no function sep"),
    ],
)
def test_a_factory_that_is_not_there(specification: str, problem: str) -> None:
    with pytest.raises(errors.FactoryNotFoundError) as found:
        load_factory(specification)
    assert str(found.value) == str(errors.FactoryNotFoundError(specification, problem))


def test_a_file_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("1 / 0")
    with pytest.raises(errors.FactoryNotFoundError, match="ZeroDivisionError: division by zero"):
        load_factory(f"{tmp_path}/model.py:make")
