"""How far two orders of summing may lie apart.

    rounding_of(analysis)                     Rounding("float32", longest_sum=1024)
    Rounding("float32", 1024).noise           3.8e-6: eps of float32, times the root of 1024

The rounding errors of a sum of n numbers add up like a random walk. Types narrower than 32 bits are
summed in wider ones, so there the rounding of the result is what counts, once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod, sqrt

from cfp.ir.analysis import Analysis
from cfp.ir.shape import dims

_MANTISSA_BITS = {"float64": 52, "float32": 23, "bfloat16": 7, "float16": 10}
_FLOATS = {"f64": "float64", "f32": "float32", "bf16": "bfloat16", "f16": "float16"}
_SUMMED_IN_ITSELF = ("float64", "float32")


@dataclass(frozen=True, slots=True)
class Rounding:
    """The relative error of a sum of so many numbers of a type."""

    dtype: str
    longest_sum: int

    @property
    def noise(self) -> float:
        """As a share of the numbers that are summed; 0 of a type that is no float."""
        if self.dtype not in _MANTISSA_BITS:
            return 0.0
        eps = 2.0 ** -_MANTISSA_BITS[self.dtype]
        return eps * sqrt(self.longest_sum) if self.dtype in _SUMMED_IN_ITSELF else eps


def rounding_of(analysis: Analysis) -> Rounding:
    """The rounding of the step's longest sum, in the coarsest type that it sums in."""
    sums = list(_sums(analysis))
    coarsest = min((one.dtype for one in sums), key=_MANTISSA_BITS.__getitem__, default="float32")
    return Rounding(coarsest, max((one.longest_sum for one in sums), default=1))


def _sums(analysis: Analysis) -> Iterator[Rounding]:
    """Every contraction and reduction of floats."""
    for one in analysis.contractions:
        op = analysis.ops[one.op]
        results = prod(dims(op.shape)) * analysis.regions[op.region].times
        yield from _sum(op.shape, round(one.flops / 2) // results)
    for op in analysis.ops:
        if op.opcode == "reduce":
            whole = prod(dims(analysis.ops[op.operands[0]].shape))
            yield from _sum(op.shape, whole // prod(dims(op.shape)))


def _sum(shape: str, count: int) -> Iterator[Rounding]:
    if dtype := _FLOATS.get(shape.partition("[")[0]):
        yield Rounding(dtype, max(1, count))
