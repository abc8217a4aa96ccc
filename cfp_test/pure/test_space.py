"""StrategySpace as data: it finds its contradictions, explains, prints and writes itself."""

from dataclasses import replace
from typing import Any

import pytest

from cfp.dump import mesh_strategy_map_text, strategy_map_text
from cfp.errors import InconsistentError
from cfp.ir.layout import AxisCut
from cfp.ir.mesh import Mesh
from cfp.ir.space import ArgumentSpace, BlockSpace, Option, Removal, StrategySpace
from cfp.ir.table import WIDTH
from cfp.passes.enumerate_strategies import enumerate_strategies
from cfp_test.pure.small_steps import attention

MESH = Mesh((("a", 2), ("b", 2)))
BLOCK = BlockSpace(
    block=0,
    strategies=("activation batch",),
    options=(Option((0, -1), 64, 0.5), Option((-1, -1), 0, 1.0)),
    removed=(
        Removal("indivisible", "two pieces at most", ((0, 0),)),
        Removal("symmetric", "one order is kept", ((-1, 0),)),
    ),
)
ARGUMENT = ArgumentSpace(
    argument="w",
    role="parameter",
    parameter="w",
    shape=(12, 8),
    looped=(0,),
    ways=((), (AxisCut("a", 1), AxisCut("b", 1))),
)
SPACE = StrategySpace("step", MESH, (BLOCK,), (ARGUMENT,))


def with_block(**entries: Any) -> StrategySpace:
    return replace(SPACE, blocks=(replace(BLOCK, **entries),))


def with_argument(**entries: Any) -> StrategySpace:
    return replace(SPACE, arguments=(replace(ARGUMENT, **entries),))


def test_a_sound_space_verifies() -> None:
    SPACE.verify()


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (replace(SPACE, blocks=(BLOCK, BLOCK)), "block 0 has 2 spaces"),
        (
            replace(SPACE, blocks=(BLOCK, replace(BLOCK, block=1))),
            "blocks 0 and 1 both have symmetric removals",
        ),
        (with_block(options=BLOCK.options * 2), "block 0 has (0, -1) twice"),
        (
            with_block(options=(*BLOCK.options, Option((-1, 0), 0, 0.5))),
            "block 0 has (-1, 0) twice",
        ),
        (with_block(options=BLOCK.options[:1]), "block 0 has 3 of 4 choices"),
        (
            with_block(options=(*BLOCK.options, Option((0,), 0, 0.5))),
            "block 0 has (0,), on a mesh of 2 axes",
        ),
        (
            with_block(options=(*BLOCK.options, Option((1, -1), 0, 0.5))),
            "block 0 has (1, -1), and 1 strategies",
        ),
        (
            with_block(options=(Option((0, -1), 64, 0.0), BLOCK.options[1])),
            "(0, -1) of block 0 has 0.0 of the FLOPs on one device",
        ),
        (
            with_block(options=(Option((0, -1), -1, 0.5), BLOCK.options[1])),
            "(0, -1) of block 0 communicates -1 bytes",
        ),
        (
            with_block(options=(BLOCK.options[0], Option((-1, -1), 64, 1.0))),
            "(-1, -1) of block 0 cuts nothing, yet communicates or divides FLOPs",
        ),
        (with_argument(role="data"), "w has the role 'data' and the parameter 'w'"),
        (with_argument(parameter=""), "w has the role 'parameter' and the parameter ''"),
        (with_argument(ways=ARGUMENT.ways[1:]), "w cannot be stored as used"),
        (
            with_argument(ways=((), (AxisCut("b", 1), AxisCut("a", 1)))),
            "w is cut by b, a: each once, in the order of the mesh",
        ),
        (
            with_argument(ways=((), (AxisCut("c", 1),))),
            "w is cut by c: each once, in the order of the mesh",
        ),
        (
            with_argument(ways=((), (AxisCut("a", 2),))),
            "w is cut at dim 2, which it has not or a loop slices",
        ),
        (
            with_argument(ways=((), (AxisCut("a", 0),))),
            "w is cut at dim 0, which it has not or a loop slices",
        ),
        (with_argument(shape=(12, 6)), "w has 6 at dim 1, not 4 equal parts"),
    ],
)
def test_a_contradiction_is_found(broken: StrategySpace, fact: str) -> None:
    with pytest.raises(InconsistentError) as found:
        broken.verify()
    assert found.value.what == f"the StrategySpace contradicts itself: {fact}"


def test_the_mesh_must_be_sound() -> None:
    with pytest.raises(InconsistentError):
        replace(SPACE, mesh=Mesh((("a", 2), ("a", 2)))).verify()


def test_a_space_says_why_not() -> None:
    assert SPACE.why_not(0, (0, 0)) == BLOCK.removed[0]
    assert SPACE.why_not(0, (0, -1)) is None
    with pytest.raises(KeyError):
        SPACE.block(7)


def test_json_returns_the_same_space() -> None:
    assert StrategySpace.from_json(SPACE.to_json()) == SPACE
    space = enumerate_strategies(attention(), MESH)
    assert StrategySpace.from_json(space.to_json()) == space


def test_prints_itself() -> None:
    assert (
        str(SPACE)
        == """\
strategies on a:2 x b:2, 4 devices; distinct blocks: 1, options: 2
Each axis of the mesh has the number of a strategy, or . for none. FLOPs and communication are those
of one forward run of the block on one device.

block 0: 2 options of 4 choices
  0  activation batch
  a  b  FLOPs on one device  communication
  0  .               50.0 %  64 B
  .  .              100.0 %  0 B
  removed      choices  because
  indivisible        1  two pieces at most
  symmetric          1  one order is kept

storage: the axes that may cut an argument beyond its use, where use leaves it whole
  shape    arguments  ways
  12x8   1 parameter  as used; dim 1 by a+b"""
    )


@pytest.mark.parametrize("axes", ["a:2", "a:2 x b:2 x c:2", "a:2 x b:2 x c:2 x d:2"])
def test_a_block_is_told_on_a_page(axes: str) -> None:
    space = enumerate_strategies(attention(), Mesh.parse(axes))
    lines = str(space).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= 50 * (len(space.blocks) + 1)
    for one in space.blocks:
        shown = min(len(one.options), 24)
        more = f"  … {len(one.options) - shown} more options"
        assert (more in lines) == (shown < len(one.options))


OPTION_ON_ONE_LINE = """
     0      3   50 FLOP            0 B  [batch->data, ., n0->model, .]  SS = SR x RS @ {0,1}
"""
OPTION_ON_TWO_LINES = """
     0      4  162 FLOP       32.0 KiB  [batch->data, ., ., . | k0->model]
                                        SR = SS x SR @ {0,1} (allreduce @ 1)
"""


def test_the_strategy_map_lists_every_option_in_both_notations() -> None:
    space = enumerate_strategies(attention(), Mesh.parse("data:2 x model:4"))
    text = mesh_strategy_map_text(attention(), space)
    assert text.startswith(strategy_map_text(attention()))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert OPTION_ON_ONE_LINE in text
    assert OPTION_ON_TWO_LINES in text
    assert "  indivisible        1  strategy 3 cuts into 4 pieces at most, not into 8\n" in text
    rows = [line for line in text.splitlines() if " FLOP " in line]
    assert len(rows) == sum(len(one.options) for one in space.blocks)
