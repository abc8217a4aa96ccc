"""Cuts as source code: the text of a PartitionSpec, and a constant's name for it.

    (data: dim 0, model: dim 1)             DATA_0_MODEL_1   P("data", "model")
    (data: dim 0, model: dim 0)             DATA_0_MODEL_0   P(("data", "model"))
    (model: dim 0 inside each of 3 parts)   MODEL_0_OF_3     InParts({0: (3,)}, P(None, "model"))
    ()                                      WHOLE            P()

Inside parts: dimension 0 is unfolded into 3 and the rest, and the rest is cut.
"""

from collections.abc import Iterable
from itertools import pairwise

from cfp.ir.layout import AxisCut, Cuts, partition

Parts = dict[int, tuple[int, ...]]


def spec_names(used: Iterable[Cuts]) -> dict[Cuts, str]:
    """A name for each of some cuts; the whole first, then by dimension."""
    names: dict[Cuts, str] = {}
    for cuts in sorted(
        set(used), key=lambda cuts: [(one.dim, one.outer, one.axis) for one in cuts]
    ):
        name = "_".join(_word(cut) for cut in cuts) or "WHOLE"
        while name in names.values():  # axes `a` and `A`
            name += "_"
        names[cuts] = name
    return names


def _word(cut: AxisCut) -> str:
    return f"{cut.axis.upper()}_{cut.dim}" + (f"_OF_{cut.outer}" if cut.outer > 1 else "")


def spec_text(cuts: Cuts) -> str:
    """`P("data", None, "model")`, or that of the unfolded value in `InParts(…)`."""
    parts = major_parts(cuts)
    if not parts:
        return _partition_text(cuts)
    shown = ", ".join(f"{dim}: {_tuple_text(map(str, majors))}" for dim, majors in parts.items())
    return f"InParts({{{shown}}}, {_partition_text(_unfolded(cuts, parts))})"


def major_parts(cuts: Cuts) -> Parts:
    """Into how many parts, major first, the dimensions are unfolded that are cut inside parts."""
    by_dim: dict[int, set[int]] = {}
    for cut in cuts:
        by_dim.setdefault(cut.dim, {1}).add(cut.outer)
    return {
        dim: tuple(minor // major for major, minor in pairwise(sorted(outers)))
        for dim, outers in sorted(by_dim.items())
        if len(outers) > 1
    }


def unnested(cuts: Cuts) -> bool:
    """Whether one dimension is cut inside parts that are not parts of each other."""
    return any(
        one.dim == other.dim and one.outer < other.outer and other.outer % one.outer
        for one in cuts
        for other in cuts
    )


def _unfolded(cuts: Cuts, parts: Parts) -> Cuts:
    """The cuts of the value whose dimensions are unfolded."""
    return tuple(AxisCut(cut.axis, _unfolded_dim(cut, parts)) for cut in cuts)


def _unfolded_dim(cut: AxisCut, parts: Parts) -> int:
    before = sum(len(majors) for dim, majors in parts.items() if dim < cut.dim)
    inside, dim = cut.outer, cut.dim + before
    for major in parts.get(cut.dim, ()):
        if inside > 1:
            inside //= major
            dim += 1
    return dim


def _partition_text(cuts: Cuts) -> str:
    rank = max((cut.dim for cut in cuts), default=-1) + 1
    return f"P({', '.join(_axes_text(axes) for axes in partition(cuts, rank))})"


def _axes_text(axes: tuple[str, ...]) -> str:
    quoted = [f'"{axis}"' for axis in axes]
    return quoted[0] if len(quoted) == 1 else _tuple_text(quoted) if quoted else "None"


def _tuple_text(items: Iterable[str]) -> str:
    shown = list(items)
    return f"({shown[0]},)" if len(shown) == 1 else f"({', '.join(shown)})"
