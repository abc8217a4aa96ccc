"""Analysis as data: it finds its contradictions, prints and writes itself, without JAX or core."""

from dataclasses import replace
from typing import Any

import pytest

from cfp.errors import InconsistentError, UnreadableJsonError
from cfp.ir import (
    Analysis,
    Block,
    Collective,
    Contraction,
    Cut,
    Op,
    Region,
    Segment,
    Source,
    Strategy,
    Timing,
)


def op(opcode: str, operands: tuple[int, ...], block: int = -1, label: str = "B10.2") -> Op:
    source = Source("model.py", 7, "Net.attend", "3/1")
    owner = "nobody" if block < 0 else "block"
    return Op(
        opcode, "f32[8,4]", operands, opcode, "jit(step)", source, 0, owner, block, label, "why"
    )


def dot(number: int, block: int) -> Contraction:
    return Contraction(number, block, "forward", block, -1, "B5", "root", 1000.0, unmatched=False)


def block(contraction: int, ops: tuple[int, ...], alike: int = 0, **entries: Any) -> Block:
    return Block((contraction,), ops, alike, signature=99, flops=1e3, flops_share=1.0, **entries)


CONTRACTED = Strategy(
    origin="contracted",
    factors=("%1 k0",),
    sources=((0, 1),),
    variant="",
    granule=4,
    split_flops_share=1.0,
    collectives=(Collective("all-reduce", 1, 2, 128),),
    inputs=(Cut(0, 1, 1, 1),),
    members=(),
)
CHAIN = Analysis(  # x, dot, tanh, dot, tanh: two blocks, the second as the first
    name="chain",
    arguments=("x",),
    ops=(
        op("parameter", ()),
        op("dot", (0,), 0),
        op("tanh", (1,), 0),
        op("dot", (2,), 1),
        op("tanh", (3,), 1),
    ),
    regions=(Region(-1, "program", 1, trip_count_known=True, times=1),),
    contractions=(dot(1, 0), dot(3, 1)),
    blocks=(block(0, (1, 2), strategies=(CONTRACTED,), dropped=("why not",)), block(1, (3, 4))),
    segments=(Segment(1, (0, 1), 1),),
    warnings=("no partition rule for fft",),
    timing=Timing(0.5, 0.25, 0.0, 0.0, 0.0, 0.0),
)


def with_op(number: int, **entries: Any) -> Analysis:
    ops = list(CHAIN.ops)
    ops[number] = replace(ops[number], **entries)
    return replace(CHAIN, ops=tuple(ops))


def with_block(number: int, **entries: Any) -> Analysis:
    blocks = list(CHAIN.blocks)
    blocks[number] = replace(blocks[number], **entries)
    return replace(CHAIN, blocks=tuple(blocks))


def with_strategy(**entries: Any) -> Analysis:
    return with_block(0, strategies=(replace(CONTRACTED, **entries),))


def with_contraction(number: int, **entries: Any) -> Analysis:
    contractions = list(CHAIN.contractions)
    contractions[number] = replace(contractions[number], **entries)
    return replace(CHAIN, contractions=tuple(contractions))


def test_a_sound_analysis_verifies() -> None:
    CHAIN.verify()


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (with_op(1, operands=(1,)), "%1 reads %1, which does not come before it"),
        (with_op(1, operands=(-1,)), "%1 reads %-1, which does not come before it"),
        (with_op(2, region=1), "%2 stands in region 1, which does not exist"),
        (
            replace(CHAIN, regions=(replace(CHAIN.regions[0], parent=0),)),
            "region 0 stands in region 0, which does not come before it",
        ),
        (with_block(0, ops=(1, 2, 3)), "%3 is listed by block 0 and by block 1"),
        (with_block(1, ops=(3, 4, 5)), "block 1 lists %5, which does not exist"),
        (with_op(2, owner="heap"), "%2 is owned by 'heap'"),
        (
            with_op(0, owner="block", owner_index=1),
            "%0 is owned by block 1, which does not list it",
        ),
        (with_op(2, owner="optimizer"), "%2 is owned by optimizer, yet block 0 lists it"),
        (with_contraction(0, op=9), "contraction 0 is %9, which does not exist"),
        (with_contraction(0, block=1), "contraction 0 is in block 1, and %1 is owned by block 0"),
        (with_contraction(1, forward=0), "contraction 1 is forward of contraction 0"),
        (
            with_contraction(0, phase="backward"),
            "contraction 0 is backward of contraction 0",
        ),
        (with_block(1, contractions=(0,)), "block 1 lists contraction 0 of block 0"),
        (
            with_block(1, contractions=()),
            "block 1 has neither a contraction nor a shared normalisation",
        ),
        (with_block(0, alike=1), "block 0 is alike block 1, which comes later"),
        (with_block(1, signature=7), "block 1 is not alike block 0: another signature"),
        (with_block(0, flops_share=1.5), "block 0 has 1.5 of the FLOPs of its segment"),
        (
            with_block(1, strategies=(CONTRACTED,)),
            "block 1 has strategies, and block 0 is the first of its kind",
        ),
        (with_strategy(granule=0), "strategy 0 of block 0 cuts into 0 pieces"),
        (with_strategy(split_flops_share=2.0), "strategy 0 of block 0 divides 2.0 of its FLOPs"),
        (
            with_strategy(inputs=(Cut(9, 1, 0, 1),)),
            "strategy 0 of block 0 names %9, which does not exist",
        ),
        (replace(CHAIN, segments=()), "block 0 stands in 0 segments"),
        (replace(CHAIN, segments=CHAIN.segments * 2), "block 0 stands in 2 segments"),
        (
            replace(with_block(1, alike=1), segments=CHAIN.segments),
            "the runs of segment 0 are not alike",
        ),
    ],
)
def test_a_contradiction_is_found(broken: Analysis, fact: str) -> None:
    with pytest.raises(InconsistentError) as found:
        broken.verify()
    assert found.value.what == f"the Analysis contradicts itself: {fact}"


def test_a_shared_normalisation_needs_no_contraction() -> None:
    shared = replace(with_block(1, contractions=()), contractions=CHAIN.contractions[:1])
    with_label = replace(
        shared, ops=(*CHAIN.ops[:3], op("reduce", (2,), 1, "B10.4"), op("tanh", (3,), 1))
    )
    with_label.verify()


def test_repeats_take_the_strategies_of_the_first() -> None:
    assert CHAIN.strategies_of(1) == (CONTRACTED,)
    assert CHAIN.distinct_blocks == (0,)
    assert CONTRACTED.size_bytes == 128


@pytest.mark.parametrize(("share", "light"), [(0.0199, True), (0.02, False)])
def test_a_light_contraction_hardly_counts(share: float, light: bool) -> None:  # [B7]
    analysis = with_block(0, flops_share=share)
    assert analysis.light_contractions == ({0} if light else set())
    assert ("[B5]    root, light\n" in str(analysis)) == light


def test_a_contraction_counts_with_its_gradients() -> None:
    gradient = replace(CHAIN.contractions[1], op=3, block=0, phase="backward", forward=0, flops=3e3)
    analysis = replace(
        with_block(0, flops_share=0.03, contractions=(0, 1), flops=4e3),
        contractions=(CHAIN.contractions[0], gradient),
    )
    assert analysis.light_contractions == set()
    assert analysis.phases(0) == {"forward": 1, "backward": 1}


@pytest.mark.parametrize(("arguments", "owner"), [(("x",), "optimizer of x"), ((), "optimizer")])
def test_an_optimizer_names_its_parameter(arguments: tuple[str, ...], owner: str) -> None:
    updated = replace(with_op(4, owner="optimizer", owner_index=0), arguments=arguments)
    assert [updated.owner(number) for number in (0, 3, 4)] == ["nobody", "block 1", owner]


def test_json_returns_the_same_analysis() -> None:
    again = Analysis.from_json(CHAIN.to_json())
    assert again == CHAIN
    assert again.timing is None


def test_other_json_is_refused() -> None:
    with pytest.raises(UnreadableJsonError) as found:
        Analysis.from_json(CHAIN.to_json().replace('"granule": 4', '"granule": "4"'))
    assert found.value.where == "Analysis.blocks[0].strategies[0].granule"


def test_prints_itself() -> None:
    assert (
        str(CHAIN)
        == """\
5 ops: 4 in blocks, 0 of the optimizer, 1 that every reader computes for itself; 2.00 KFLOP in
       contractions
ParallelBlocks: 2, 1 of them distinct
  block  segment  runs  contractions       FLOPs  of segment  members
      0        0     2           1+0  1.00 KFLOP     100.0 %  2 ops: B10.2 2

strategies on one mesh axis: what is cut, into how many pieces at most, and what the forward pass
                             then communicates. A cut `%12 n0` is the first factor of op 12 of kind
                             n: b batch, m of its first operand, n of its second, k summed over.

block 0, also at 1
  forward contraction  source      clause  because
  %1 dot f32[8,4]      model.py:7  [B5]    root
     strategy    pieces  FLOPs cut  communication       cuts
  0  contracted       4    100.0 %  1 all-reduce 128 B  %1 k0
  given up: why not

ParallelBlocks sequence: (1, 2) mapped to (0, 1)

segments
  segment  blocks  distinct  runs  times  starts at block
        0  (0, 1)         1     2      1  0, 1

warning: no partition rule for fft"""
    )


def test_a_segment_knows_its_runs() -> None:
    assert Segment(6, (0, 8), 1).runs == (range(6), range(8, 14))
