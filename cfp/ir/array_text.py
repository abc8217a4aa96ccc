"""Arrays and how they are cut, as people read them.

array_text(step.arguments[0])                           float32[64,128]
cuts_text((AxisCut("fsdp", 0), AxisCut("model", 0)))    dim 0 by fsdp and model
cuts_text((AxisCut("model", 1, outer=3),))              dim 1 by model inside each of 3 parts
cuts_text(())                                           whole
"""

from itertools import groupby

from cfp.ir.layout import AxisCut, Cuts
from cfp.ir.step import ArrayInfo


def array_text(array: ArrayInfo) -> str:
    """What kind of array it is, without its name."""
    return f"{array.dtype}[{','.join(map(str, array.shape))}]"


def cuts_text(cuts: Cuts) -> str:
    """All dimensions that are cut, each with the axes that cut it, major first."""
    by_place = sorted(cuts, key=_place)
    return ", ".join(_text(list(same)) for _, same in groupby(by_place, _place)) or "whole"


def _place(cut: AxisCut) -> tuple[int, int]:
    return cut.dim, cut.outer


def _text(cuts: list[AxisCut]) -> str:
    axes = " and ".join(cut.axis for cut in cuts)
    inside = f" inside each of {cuts[0].outer} parts" if cuts[0].outer > 1 else ""
    return f"dim {cuts[0].dim} by {axes}{inside}"
