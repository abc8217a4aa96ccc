"""The only door to the C++ core: imports it, checks its version, turns its records into nouns.

    read_analysis(hlo, "gpt", locate)    Analysis, or UnreadableHloError where the bytes are no HLO

`locate(op_name, file, line)` says where an op comes from; JAX's tags are known to the pass, not
here. Texts that thousands of ops share are stored once.
"""

from __future__ import annotations

from functools import cache
from sys import intern
from typing import TYPE_CHECKING

from cfp.errors import MissingCoreError, OutdatedCoreError, UnreadableHloError
from cfp.ir.analysis import Analysis, Timing
from cfp.ir.block import Block, Collective, Cut, Segment, Strategy
from cfp.ir.op import Contraction, Op, Region

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from cfp import _cfp_core as core
    from cfp.ir.op import Source

    Locate = Callable[[str, str, int], Source]

CORE_VERSION = "0.1.0"


def read_analysis(hlo: bytes, name: str, locate: Locate) -> Analysis:
    """The analysis of a serialised HloModuleProto; `name` is the step's."""
    native = load_core()
    try:
        records: core.Records = native.analyze(hlo)
    except native.HloError as error:
        raise UnreadableHloError(name, str(error)) from error
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
    )


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
