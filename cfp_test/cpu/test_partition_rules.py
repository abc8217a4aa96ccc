"""Partition rules against the ops themselves, which XLA evaluates.

A rule claims two things that can be tried without any device mesh:

    pass     result elements in piece j of the factor depend on piece j of the operands alone:
             new numbers in piece j of the operands leave the other pieces of the result alone
    reduced  the pieces add up: the op on operands that are zero outside piece j, summed over j (or
             their maximum), is the op on the whole operands

For `dot f32[3,6] . f32[6,5]`: new numbers in row 1 of the left side change row 1 of the result, no
other; six dots with all but one contracted index set to zero sum up to the dot.
"""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

CFP_OPT = Path(__file__).resolve().parents[2] / "build" / "cc_tests" / "cfp_opt"
LINE = re.compile(
    r"%(?P<id>\d+) (?P<opcode>[\w-]+)\((?P<arguments>.*)\)  (?P<label>R\d+):(?P<factors>.*)"
)
SITE = re.compile(r"(?P<array>\w+)\.(?P<dim>\d+)(?:/(?P<outer>\d+))?")
RANDOM = np.random.default_rng(0)


@dataclass(frozen=True)
class Site:
    """Where a factor stands: a dimension, and the size of the more major factors in it."""

    dim: int
    outer: int


@dataclass(frozen=True)
class Factor:
    """A factor and its sites by array: the number of a jitted function's argument, or "r"."""

    size: int
    kind: str
    sites: dict[str, Site]


@dataclass(frozen=True)
class Case:
    """An op as a function of arrays, and how partial results of it are put together."""

    opcode: str
    fun: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    indices_below: dict[int, int] = field(default_factory=dict[int, int])  # by argument: int32
    zeros: tuple[int, ...] = ()  # arguments that are all zero: the table that a scatter adds to
    neutral: float = 0.0
    combine: Callable[..., Any] = np.add

    def argument(self, number: int) -> np.ndarray:
        """Returns fresh numbers for one argument."""
        shape = self.shapes[number]
        if number in self.indices_below:
            return RANDOM.integers(0, self.indices_below[number], shape).astype(np.int32)
        return RANDOM.standard_normal(shape).astype(np.float32) * (number not in self.zeros)


def conv(result: str = "NHWC", **how: Any) -> Callable[..., jax.Array]:
    """Returns a convolution of NHWC by HWIO."""
    how = {"window_strides": (1, 1), "padding": "VALID", **how}
    return lambda a, b: lax.conv_general_dilated(
        a, b, dimension_numbers=("NHWC", "HWIO", result), **how
    )


def gather(slice_sizes: tuple[int, ...], **dims: Any) -> Callable[..., jax.Array]:
    """Returns a gather whose indices are trusted."""
    numbers = lax.GatherDimensionNumbers(**dims)
    return lambda t, i: lax.gather(t, i, numbers, slice_sizes, mode="promise_in_bounds")


def scatter(op: Callable[..., Any], **dims: Any) -> Callable[..., jax.Array]:
    """Returns a scatter whose indices are trusted."""
    numbers = lax.ScatterDimensionNumbers(**dims)
    return lambda t, i, u: op(t, i, u, numbers, mode="promise_in_bounds")


def reshape(*dims: int) -> Callable[..., jax.Array]:
    """Returns a reshape to `dims`."""
    return lambda a: a.reshape(dims)


def window(init: float, op: Callable[..., Any], size: tuple[int, ...], strides: tuple[int, ...]):
    """Returns a reduce-window without padding."""
    return lambda a: lax.reduce_window(a, init, op, size, strides, "VALID")


def max_pool_gradient(a: jax.Array, cotangent: jax.Array) -> jax.Array:
    """The gradient of pooling pairs: a select-and-scatter."""
    return jax.vjp(window(-jnp.inf, lax.max, (1, 2, 1), (1, 2, 1)), a)[1](cotangent)[0]


ROWS: dict[str, Any] = {
    "update_window_dims": (2,),
    "inserted_window_dims": (0,),
    "scatter_dims_to_operand_dims": (0,),
}
IMAGE = (4, 8, 8, 8)
CASES = {
    "add": Case("add", jnp.add, ((4, 6), (4, 6))),
    "broadcast": Case("broadcast", lambda a: lax.broadcast_in_dim(a, (4, 3, 6), (0, 2)), ((4, 6),)),
    "transpose": Case("transpose", lambda a: a.transpose(2, 0, 1), ((4, 6, 8),)),
    "reverse": Case("reverse", lambda a: lax.rev(a, (1,)), ((4, 6),)),
    "split": Case("reshape", reshape(8, 4, 16), ((8, 64),)),
    "merge": Case("reshape", reshape(32, 16), ((8, 4, 16),)),
    "unequal split": Case("reshape", reshape(2, 12), ((4, 6),)),
    "no nesting": Case("reshape", reshape(4, 3, 5), ((6, 2, 5),)),
    "dot": Case(
        "dot",
        lambda a, b: lax.dot_general(a, b, (((0, 3), (2, 1)), ((1,), (0,)))),
        ((3, 2, 4, 6), (2, 6, 3, 5)),
    ),
    "sum": Case("reduce", lambda a: a.sum((0, 2)), ((4, 6, 8),)),
    "max": Case("reduce", lambda a: a.max(1), ((4, 6, 8),), neutral=-np.inf, combine=np.maximum),
    "rows": Case(
        "gather",
        gather((1, 6), offset_dims=(2,), collapsed_slice_dims=(0,), start_index_map=(0,)),
        ((10, 6), (4, 5, 1)),
        {1: 10},
    ),
    "batched part rows": Case(
        "gather",
        gather(
            (1, 1, 3),
            offset_dims=(2,),
            collapsed_slice_dims=(1,),
            start_index_map=(1, 2),
            operand_batching_dims=(0,),
            start_indices_batching_dims=(1,),
        ),
        ((4, 10, 6), (3, 4, 2)),
        {1: 3},
    ),
    "scatter add": Case(
        "scatter", scatter(lax.scatter_add, **ROWS), ((10, 6), (3, 4, 1), (3, 4, 6)), {1: 10}, (0,)
    ),
    "scatter max": Case(
        "scatter", scatter(lax.scatter_max, **ROWS), ((10, 6), (3, 4, 1), (3, 4, 6)), {1: 10}
    ),
    "middle third": Case("slice", lambda a: a[:, 4:8], ((6, 12),)),
    "every third": Case("slice", lambda a: lax.slice(a, (0, 1), (6, 12), (1, 3)), ((6, 12),)),
    "pad to a third": Case("pad", lambda a: lax.pad(a, 0.0, ((6, 6, 0), (0, 0, 0))), ((6, 4),)),
    "pad between": Case("pad", lambda a: lax.pad(a, 0.0, ((0, 2, 2), (0, 0, 0))), ((6, 4),)),
    "shift": Case("pad", lambda a: lax.pad(a, 0.0, ((1, -1, 0), (0, 0, 0))), ((6, 4),)),
    "equal parts": Case("concatenate", lambda a, b: jnp.concatenate((a, b), 1), ((4, 6), (4, 6))),
    "other parts": Case("concatenate", lambda a, b: jnp.concatenate((a, b), 0), ((4, 6), (2, 6))),
    "update": Case(
        "dynamic-update-slice",
        lambda a, b, i: lax.dynamic_update_slice(a, b, (i, 0 * i)),
        ((4, 6), (2, 6), ()),
        {2: 3},
    ),
    "sort": Case("sort", lambda a: lax.sort(a, dimension=0), ((4, 6),)),
    "top": Case("topk", lambda a: lax.top_k(a, 2), ((4, 6),)),
    "convolution": Case("convolution", conv(padding="SAME"), (IMAGE, (3, 3, 8, 12))),
    "grouped": Case("convolution", conv(feature_group_count=4), (IMAGE, (3, 3, 2, 12))),
    "batch groups": Case("convolution", conv(batch_group_count=2), (IMAGE, (3, 3, 8, 12))),
    "patches": Case("convolution", conv(window_strides=(4, 4)), (IMAGE, (4, 4, 8, 12))),
    "every other pixel": Case("convolution", conv(window_strides=(2, 2)), (IMAGE, (1, 1, 8, 12))),
    "patches by kernel": Case("convolution", conv(rhs_dilation=(4, 2)), (IMAGE, (2, 4, 8, 12))),
    "patches by input": Case(
        "convolution",
        conv(padding=((2, 2), (2, 2)), lhs_dilation=(3, 3)),
        (IMAGE, (3, 3, 8, 12)),
    ),
    "pool sum": Case("reduce-window", window(0.0, lax.add, (1, 2, 3), (1, 2, 1)), ((3, 8, 6),)),
    "pool gradient": Case("select-and-scatter", max_pool_gradient, ((3, 8, 6), (3, 4, 6))),
}


def factors_of(case: Case, folder: Path) -> list[Factor]:
    """Returns the rule of the case's one op, its arrays named by argument."""
    arguments = [case.argument(number) for number in range(len(case.shapes))]
    hlo = jax.jit(case.fun).lower(*arguments).compiler_ir("hlo")
    file = folder / "op.hlo.pb"
    file.write_bytes(hlo.as_serialized_hlo_module_proto())
    command = [str(CFP_OPT), "--pass=partition_rules", str(file)]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [match for line in dump.splitlines() if (match := LINE.fullmatch(line))]
    parameter = {m["id"]: m["arguments"] for m in lines if m["opcode"] == "parameter"}
    [op] = [m for m in lines if m["opcode"] == case.opcode]
    operands = [parameter.get(name, "") for name in re.findall(r"%(\d+)", op["arguments"])]
    return [parse_factor(text, operands) for text in op["factors"].split("|") if text.strip()]


def parse_factor(text: str, operands: list[str]) -> Factor:
    """Reads `32 pass 0.1/3 r.1`; operands that are no arguments are left out."""
    size, kind, *sites = text.split()
    found: dict[str, Site] = {}
    for match in map(SITE.fullmatch, sites):
        assert match
        array = match["array"] if match["array"] == "r" else operands[int(match["array"])]
        if array:
            found[array] = Site(int(match["dim"]), int(match["outer"] or 1))
    return Factor(int(size), kind, found)


def in_piece(shape: tuple[int, ...], site: Site, size: int, piece: int) -> np.ndarray:
    """Returns which elements of an array lie in one piece of a factor."""
    inner = shape[site.dim] // (site.outer * size)
    along = (np.arange(shape[site.dim]) // inner) % size == piece
    return np.broadcast_to(np.expand_dims(along, tuple(range(1, len(shape) - site.dim))), shape)


def results_of(case: Case, arguments: list[np.ndarray]) -> list[np.ndarray]:
    """Evaluates the op."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(jax.jit(case.fun)(*arguments))]


def check_pass(case: Case, arguments: list[np.ndarray], factor: Factor) -> None:
    """New numbers in one piece of the operands change that piece of the results alone."""
    whole = results_of(case, arguments)
    for piece in {0, factor.size // 2, factor.size - 1}:
        changed = list(arguments)
        for array, site in factor.sites.items():
            if array != "r":
                number = int(array)
                here = in_piece(case.shapes[number], site, factor.size, piece)
                changed[number] = np.where(here, case.argument(number), arguments[number])
        for before, after in zip(whole, results_of(case, changed), strict=True):
            others = ~in_piece(before.shape, factor.sites["r"], factor.size, piece)
            np.testing.assert_allclose(before[others], after[others], rtol=1e-4, atol=1e-5)


def check_reduced(case: Case, arguments: list[np.ndarray], factor: Factor) -> None:
    """The results for single pieces combine to the result for all."""
    assert "r" not in factor.sites
    partial: list[np.ndarray] = []
    for piece in range(factor.size):
        alone = list(arguments)
        for number, site in ((int(array), site) for array, site in factor.sites.items()):
            if number not in case.indices_below:
                here = in_piece(case.shapes[number], site, factor.size, piece)
                alone[number] = np.where(here, arguments[number], np.float32(case.neutral))
        partial.append(results_of(case, alone)[0])
    combined = case.combine.reduce(partial)  # pyright: ignore[reportFunctionMemberAccess]
    np.testing.assert_allclose(combined, results_of(case, arguments)[0], rtol=1e-3, atol=1e-4)


def knows_rules() -> bool:
    """Tells whether a `cfp_opt` that prints rules has been built."""
    if not CFP_OPT.exists():
        return False
    return (
        "partition_rules"
        in subprocess.run([CFP_OPT], capture_output=True, text=True, check=False).stderr
    )


@pytest.mark.skipif(not knows_rules(), reason="build cfp_opt: cfp_test/native/build_cc_tests.py")
@pytest.mark.parametrize("name", CASES)
def test_op_does_what_its_rule_says(name: str, tmp_path: Path) -> None:
    """Every factor that passes passes, and every reduced one makes partial results."""
    case = CASES[name]
    arguments = [case.argument(number) for number in range(len(case.shapes))]
    factors = factors_of(case, tmp_path)
    assert factors
    for factor in factors:
        on_operands = [array for array in factor.sites if array != "r"]
        if factor.kind == "pass" and on_operands and "r" in factor.sites:
            check_pass(case, arguments, factor)
        elif factor.kind == "reduced":
            check_reduced(case, arguments, factor)
