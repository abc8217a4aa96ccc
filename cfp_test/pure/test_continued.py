"""Which result is the next value of which argument."""

import pytest

from cfp.ir.continued import continued
from cfp.ir.step import ArrayInfo

W = (4, 4)


def arrays(*names: str, shape: tuple[int, ...] = W) -> list[ArrayInfo]:
    return [ArrayInfo(name, shape, "float32") for name in names]


def continues(arguments: list[ArrayInfo], results: list[ArrayInfo]) -> list[int]:
    return [one.continues for one in continued(arguments, results)]


@pytest.mark.parametrize(
    ("arguments", "results", "expected"),
    [
        (["state.params['w']"], ["result[0].params['w']"], [0]),
        (["state.params['w']"], ["result.params['w']"], [0]),
        (["m.params['w']", "m.mu['w']"], ["result[0].mu['w']", "result[0].params['w']"], [1, 0]),
        (["params['w']", "opt[0].mu['w']"], ["result[1][0].mu['w']", "result[0]['w']"], [1, 0]),
        (["w", "x"], ["result[0]", "result[1]['loss']"], [0, -1]),
        (["x", "w"], ["result[1]"], [1]),
        (["w"], ["result"], [0]),
        (["state['w']"], ["result['loss']"], [-1]),
        ([], ["result"], [-1]),
    ],
)
def test_the_longest_name_in_common_wins(
    arguments: list[str], results: list[str], expected: list[int]
) -> None:
    assert continues(arrays(*arguments), arrays(*results)) == expected


def test_an_argument_has_one_next_value() -> None:
    assert continues(arrays("s['w']"), arrays("result[0]['w']", "result[1]['w']")) == [0, -1]


def test_another_shape_or_dtype_is_another_array() -> None:
    assert continues(arrays("s['w']"), arrays("result['w']", shape=(4,))) == [-1]
    assert continues(arrays("s['w']"), [ArrayInfo("result['w']", W, "bfloat16")]) == [-1]
