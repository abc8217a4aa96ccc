"""A value unfolded: some dimensions in two, so that cuts inside their major parts can be said.

    w [64,192], dimension 1 in 3 parts      form ((1, 3),)      unfolded [64,3,64]
    cut by model at dim 1, outer 3          at dim 2 of the unfolded value, outer 1

A form is pairs of a dimension and the number of its parts, in order; () is the value as it is.
"""

from cfp.ir.layout import AxisCut, Cuts

Form = tuple[tuple[int, int], ...]


def form_of(cuts: Cuts) -> Form:
    """The least unfolding in which no cut is inside major parts."""
    return tuple(sorted({(cut.dim, cut.outer) for cut in cuts if cut.outer > 1}))


def form_for(cuts: Cuts, form: Form) -> Form:
    """A form in which these cuts can be said: the given one if it will do."""
    needed = form_of(cuts)
    return form if set(needed) <= set(form) else needed


def unfolded_shape(shape: tuple[int, ...], form: Form) -> tuple[int, ...]:
    """[64,192] in ((1, 3),) is [64,3,64]."""
    parts = dict(form)
    pairs = (
        (parts[dim], size // parts[dim]) if dim in parts else (size,)
        for dim, size in enumerate(shape)
    )
    return tuple(size for pair in pairs for size in pair)


def places(form: Form, dims: tuple[int, ...]) -> tuple[int, ...]:
    """Where dimensions of the value are in the unfolded one, its two for one that is unfolded."""
    parts = dict(form)
    found: list[int] = []
    for dim in dims:
        first = dim + sum(1 for other in parts if other < dim)
        found += [first, first + 1] if dim in parts else [first]
    return tuple(found)


def unfolded_cuts(cuts: Cuts, form: Form) -> Cuts:
    """The same cuts of the unfolded value; those outside the parts cut the number of parts."""
    return tuple(
        AxisCut(cut.axis, places(form, (cut.dim,))[-1 if cut.outer > 1 else 0]) for cut in cuts
    )
