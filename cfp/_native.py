"""The only door to the C++ core: imports it, checks its version, turns its records into nouns.

    read_analysis(hlo, "gpt", locate)    Analysis, or UnreadableHloError where the bytes are no HLO
    lay_out_axes(analysis, axes, ...)    how every value lies on each axis of a mesh

`locate(op_name, file, line)` says where an op comes from; JAX's tags are known to the pass, not
here. Texts that thousands of ops share are stored once.
"""

from __future__ import annotations

from functools import cache
from sys import intern
from typing import TYPE_CHECKING, NamedTuple, cast

from cfp.errors import MissingCoreError, OutdatedCoreError, UnreadableHloError
from cfp.ir.analysis import Analysis, Timing
from cfp.ir.block import Block, Collective, Cut, Segment, Strategy
from cfp.ir.layout import AxisCut
from cfp.ir.op import Contraction, Op, Region

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from cfp import _cfp_core as core
    from cfp.ir.layout import Cuts
    from cfp.ir.mesh import Mesh
    from cfp.ir.op import Source

    Locate = Callable[[str, str, int], Source]

CORE_VERSION = "0.1.0"


def read_analysis(hlo: bytes, name: str, locate: Locate) -> Analysis:
    """The analysis of a serialised HloModuleProto; `name` is the step's."""
    native = load_core()
    try:
        program: core.Program = native.read(hlo)
    except native.HloError as error:
        raise UnreadableHloError(name, str(error)) from error
    records = program.records()
    return Analysis(
        name=name,
        arguments=(),
        ops=tuple(_op(one, locate) for one in records.ops),
        regions=tuple(_region(one) for one in records.regions),
        contractions=tuple(_contraction(one) for one in records.contractions),
        blocks=tuple(_block(one) for one in records.blocks),
        segments=tuple(
            Segment(one.blocks, tuple(one.starts), one.times) for one in records.segments
        ),
        warnings=tuple(records.warnings),
        timing=_timing(records.timing),
        program=program,
        parameters=tuple(records.parameters),
        results=tuple(records.results),
    )


class Axis(NamedTuple):
    """One axis of a mesh: per block a strategy or -1; per argument (dim, outer) or None for whole.

    Where `stored` is None every argument lies as its readers would have it.
    """

    name: str
    size: int
    choice: tuple[int, ...]
    stored: tuple[tuple[int, int] | None, ...] | None = None


class Movement(NamedTuple):
    """A collective on one axis: of `value`, for `reader`, -1 for the step's results."""

    kind: str
    value: int
    reader: int
    times: int


class AxisLayout(NamedTuple):
    """How values lie on one axis: the cut ones, as AxisCut by op, argument and (op, operand)."""

    axis: str
    values: dict[int, AxisCut]
    wanted: dict[int, AxisCut]
    uses: dict[tuple[int, int], AxisCut | None]
    movements: tuple[Movement, ...]


def lay_out_axes(
    analysis: Analysis, axes: Sequence[Axis], continues: Sequence[int]
) -> tuple[AxisLayout, ...]:
    """Every axis laid out, the first first; `continues` holds for a result whose next value it is.

    The analysis must come from this process: one that was read from a file has no program.
    """
    native = load_core()
    program = cast("core.Program", analysis.program)
    records = program.lay_out([_axis_record(native, one) for one in axes], list(continues))
    return tuple(
        _axis_layout(axis.name, record) for axis, record in zip(axes, records, strict=True)
    )


def wanted_storage(
    analysis: Analysis, mesh: Mesh, choices: Sequence[Sequence[int]], continues: Sequence[int]
) -> tuple[Cuts, ...]:
    """How each argument would best lie for its readers, be it as no sharding can say.

    `choices` are per block, and per axis of the mesh.
    """
    axes = [
        Axis(name, size, tuple(choice[number] for choice in choices))
        for number, (name, size) in enumerate(mesh.axes)
    ]
    laid = lay_out_axes(analysis, axes, continues)
    return tuple(
        tuple(one.wanted[number] for one in laid if number in one.wanted)
        for number in range(len(analysis.parameters))
    )


def _axis_record(native: ModuleType, axis: Axis) -> core.AxisRecord:
    stored = [native.CutRecord(*(one or (-1, 1))) for one in axis.stored or ()]
    return native.AxisRecord(axis.size, list(axis.choice), stored)


def _axis_layout(axis: str, record: core.LayoutRecord) -> AxisLayout:
    return AxisLayout(
        axis,
        {one.index: _cut(axis, one.cut) for one in record.cuts},
        {one.index: _cut(axis, one.cut) for one in record.wanted},
        {
            (one.op, one.operand): _cut(axis, one.cut) if one.cut.dim >= 0 else None
            for one in record.uses
        },
        tuple(Movement(one.kind, one.value, one.reader, one.times) for one in record.movements),
    )


def _cut(axis: str, record: core.CutRecord) -> AxisCut:
    return AxisCut(axis, record.dim, record.outer)


@cache
def load_core() -> ModuleType:
    """The extension module, if it is there and of this version."""
    try:
        from cfp import _cfp_core as native  # noqa: PLC0415 - cfp.ir must work without it
    except ImportError as error:
        raise MissingCoreError(str(error)) from error
    if native.__version__ != CORE_VERSION:
        raise OutdatedCoreError(native.__version__, CORE_VERSION)
    return native


def _op(record: core.OpRecord, locate: Locate) -> Op:
    return Op(
        intern(record.opcode),
        intern(record.shape),
        tuple(record.operands),
        record.instruction,
        record.op_name,
        locate(record.op_name, record.source_file, record.source_line),
        record.region,
        intern(record.owner),
        record.owner_index,
        intern(record.label),
        intern(record.because),
    )


def _region(record: core.RegionRecord) -> Region:
    return Region(
        record.parent, record.kind, record.trip_count, record.trip_count_known, record.times
    )


def _contraction(record: core.ContractionRecord) -> Contraction:
    return Contraction(
        record.op,
        record.block,
        record.phase,
        record.forward,
        record.gradient_of,
        record.label,
        record.because,
        record.flops,
        record.unmatched,
    )


def _block(record: core.BlockRecord) -> Block:
    return Block(
        contractions=tuple(record.contractions),
        ops=tuple(record.ops),
        alike=record.alike,
        signature=record.signature,
        flops=record.flops,
        flops_share=record.flops_share,
        strategies=tuple(_strategy(one) for one in record.strategies),
        dropped=tuple(record.dropped),
    )


def _strategy(record: core.StrategyRecord) -> Strategy:
    return Strategy(
        origin=record.origin,
        factors=tuple(record.cuts),
        sources=tuple((one.parameter, one.dim) for one in record.sources),
        variant=record.variant,
        granule=record.granule,
        split_flops_share=record.split_flops_share,
        collectives=tuple(
            Collective(one.kind, one.value, one.reader, one.size_bytes)
            for one in record.collectives
        ),
        inputs=_cuts(record.inputs),
        members=_cuts(record.members),
    )


def _cuts(records: Sequence[core.PlacementRecord]) -> tuple[Cut, ...]:
    return tuple(Cut(one.value, one.reader, one.dim, one.outer) for one in records)


def _timing(record: core.Timing) -> Timing:
    return Timing(
        record.read_s,
        record.graph_s,
        record.contractions_s,
        record.blocks_s,
        record.segments_s,
        record.strategies_s,
    )
