"""Both notations, one instance for each rule of their grammar, and that texts can be read back."""

from itertools import product

import pytest

from cfp.ir import Analysis, Collective
from cfp.ir.notation import Notation, notation_of, strategy_words
from cfp_test.pure.small_steps import analysis, attention, op, strategy

BATCH, QUERIES, KEYS, HEADS, SUMMED, NONE = 0, 1, 2, 3, 4, -1
AB = ("a", "b")
ATTENTION = notation_of(attention(), 0, AB)


def siblings() -> Analysis:
    """Experts' gate [8,16,32] x [8,32,24] and its sibling [8,16,32] x [8,32,6], then a lookup."""
    block = ("block", 0)
    ops = (
        op("parameter", "f32[8,16,32]"),
        op("parameter", "f32[8,32,24]"),
        op("parameter", "f32[8,32,6]"),
        op("dot", "f32[8,16,24]", (0, 1), block),
        op("dot", "f32[8,16,6]", (0, 2), block),
    )
    both = [(3, -1), (4, -1)]
    reduce = [Collective("all-reduce", one, -1, 64) for one in (3, 4)]
    strategies = [
        strategy(
            "activation", "%3 b0, %4 b0", 8, [(*one, 0, 1) for one in both], sources=((1, 0),)
        ),
        strategy(
            "activation", "%3 m0, %4 m0", 4, [(*one, 1, 1) for one in both], sources=((0, 1),)
        ),
        strategy(
            "activation", "%3 m1, %4 m1", 4, [(*one, 1, 4) for one in both], sources=((0, 1),)
        ),
        strategy("weight", "%3 n0 inside each of 3 parts", 8, [(3, -1, 2, 3)]),
        strategy("contracted", "%3 k0, %4 k0", 4, [(0, 3, 2, 1), (0, 4, 2, 1)], reduce),
        strategy("contracted", "%3 k1, %4 k1", 8, [(0, 3, 2, 4), (0, 4, 2, 4)], reduce),
    ]
    return analysis(ops, [strategies], {3: 1.0, 4: 1.0}, ("batch['tokens']", "gate", "other"))


SIBLINGS = notation_of(siblings(), 0, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("notation", "choice", "text"),
    [
        (ATTENTION, (NONE, NONE), "whole"),
        (ATTENTION, (BATCH, HEADS), "[batch->a, ., n0->b, .]"),
        (ATTENTION, (BATCH, BATCH), "[batch->a+b, ., ., .]"),
        (ATTENTION, (BATCH, SUMMED), "[batch->a, ., ., . | k0->b]"),
        (ATTENTION, (NONE, KEYS), "[., inputs.1->b, ., .] (b keeps operand 1 at %3)"),
        (
            ATTENTION,
            (QUERIES, QUERIES),
            "[., inputs.1->a+b, ., .] (a keeps operand 0 at %3, b keeps operand 0 at %3)",
        ),
        (SIBLINGS, (0, NONE, NONE), "[b0->a, ., .]"),
        (SIBLINGS, (1, 2, NONE), "[., tokens.1->a m1->b, .]"),
        (SIBLINGS, (3, NONE, NONE), "%3 [., ., n0->a]"),
        (SIBLINGS, (1, 3, NONE), "%3 [., tokens.1->a, n0->b]; %4 [., tokens.1->a, .]"),
        (SIBLINGS, (NONE, 5, 4), "[., ., . | k0->c k1->b]"),
    ],
)
def test_by_dimension(notation: Notation, choice: tuple[int, ...], text: str) -> None:
    assert notation.by_dimension(choice) == text


@pytest.mark.parametrize(
    ("notation", "choice", "text"),
    [
        (ATTENTION, (NONE, NONE), "whole"),
        (ATTENTION, (BATCH, HEADS), "SS = SR x RS @ {0,1}"),
        (ATTENTION, (HEADS, BATCH), "SS = SR x RS @ {1,0}"),  # rows before columns
        (ATTENTION, (BATCH, QUERIES), "SR = SR x RR @ {0+1} (allgather @ 1)"),
        (ATTENTION, (BATCH, SUMMED), "SR = SS x SR @ {0,1} (allreduce @ 1)"),
        (ATTENTION, (SUMMED, SUMMED), "RR = RS x SR @ {0+1} (allreduce @ 0+1)"),
        (SIBLINGS, (0, 1, 4), "SSR = SSS x SSR @ {0,1,2} (allreduce @ 2)"),
        (SIBLINGS, (0, NONE, NONE), "SRR = SRR x SRR @ {0}"),
        (SIBLINGS, (4, 5, NONE), "RRR = RRS x RSR @ {0+1} (allreduce @ 0+1)"),
        (SIBLINGS, (1, 3, NONE), "%3 RSS = RSR x RRS @ {0,1}; %4 RSR = RSR x RRR @ {0}"),
    ],
)
def test_as_matrices(notation: Notation, choice: tuple[int, ...], text: str) -> None:
    assert notation.as_matrices(choice) == text


@pytest.mark.parametrize("axes", [("data",), ("a", "ba"), ("ba", "a"), ("x", "y", "z")])
@pytest.mark.parametrize("step", [attention(), siblings()], ids=["attention", "siblings"])
def test_what_is_written_is_read_back(step: Analysis, axes: tuple[str, ...]) -> None:
    notation = notation_of(step, 0, axes)
    for choice in product(range(-1, len(step.blocks[0].strategies)), repeat=len(axes)):
        assert notation.read(notation.by_dimension(choice)) == choice


def test_two_choices_have_two_texts() -> None:
    choices = list(product(range(-1, 6), repeat=3))
    assert len({SIBLINGS.by_dimension(one) for one in choices}) == len(choices)


@pytest.mark.parametrize("text", ["[batch->a, n0->a, .]", "[height->b]", "[., inputs.1->a, ., .]"])
def test_a_text_of_no_choice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no strategy of this block"):
        ATTENTION.read(text)


def test_variants_of_variants_are_told_apart() -> None:
    """The text of one variant begins as that of the other."""
    sides = ["keeps operand 0 at %3", "keeps operand 0 at %3, keeps operand 1 at %4"]
    forked = [strategy("activation", "%3 m0", 4, [(3, -1, 1, 1)], variant=one) for one in sides]
    notation = notation_of(analysis(siblings().ops, [forked], {3: 1.0}), 0, AB)
    for choice in product((-1, 0, 1), repeat=2):
        assert notation.read(notation.by_dimension(choice)) == choice


def test_strategies_in_words() -> None:
    assert strategy_words(attention(), 0) == (
        "activation batch",
        "activation inputs.1, keeps operand 0 at %3",
        "activation inputs.1, keeps operand 1 at %3",
        "weight n0",
        "contracted k0",
    )
    assert strategy_words(siblings(), 0)[1:3] == ("activation tokens.1", "activation m1")


def test_without_names_of_arguments_their_numbers_are_told() -> None:
    untraced = analysis(siblings().ops, [siblings().blocks[0].strategies], {3: 1.0, 4: 1.0})
    assert notation_of(untraced, 0, AB).by_dimension((1, -1)) == "[., 0.1->a, .]"


def test_a_block_without_strategies_is_whole() -> None:
    nothing = notation_of(analysis(siblings().ops, [[]], {3: 1.0}), 0, AB)
    assert nothing.by_dimension((-1, -1)) == nothing.as_matrices((-1, -1)) == "whole"
    assert nothing.read("whole") == (-1, -1)
