"""What is read off a partitioned program, one line of HLO at a time."""

import pytest

from cfp_test.cpu.compiled_collectives import Found, read_collectives, read_products, size_bytes

METADATA = 'metadata={op_name="%41 step/dot"}'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            f"  %ar = f32[8,32]{{1,0}} all-reduce(%dot), channel_id=1, {METADATA}",
            Found("all-reduce", 1024, "f32[8,32]{1,0}", "%41 step/dot"),
        ),
        (
            "  ROOT %ag.2 = s32[4,64]{0,1} all-gather(%p), dimensions={1}",
            Found("all-gather", 1024, "s32[4,64]{0,1}", ""),
        ),
        (
            "  %a2a = (f32[1,4]{1,0}, pred[3]{0}) all-to-all(%p, %q)",
            Found("all-to-all", 19, "(f32[1,4]{1,0}, pred[3]{0})", ""),
        ),
        (
            "  %cp = bf16[2]{0} collective-permute-done(%start)",
            Found("collective-permute", 4, "bf16[2]{0}", ""),
        ),
    ],
)
def test_a_collective_is_read(line: str, found: Found) -> None:
    assert read_collectives(line) == [found]


@pytest.mark.parametrize(
    "line",
    [
        "  %s = (f32[2]{0}, f32[8]{0}) all-gather-start(%p), dimensions={0}",
        "  %fusion = f32[8]{0} fusion(%all-reduce.1), kind=kLoop",
        "  %all-reduce.7 = f32[8]{0} add(%a, %b)",
    ],
)
def test_what_is_no_collective_is_not_read(line: str) -> None:
    assert read_collectives(line) == []


def test_sizes_of_arrays_and_tuples() -> None:
    assert size_bytes("f32[]") == 4
    assert size_bytes("(f32[8,4]{1,0}, (pred[8], c64[2]))") == 128 + 8 + 16


def test_products_of_a_dot() -> None:
    program = """
  %a = f32[8,32,64]{2,1,0} parameter(0)
  %w = f32[64,16]{1,0} parameter(1)
  %d = f32[8,32,16]{2,1,0} dot(%a, %w), lhs_contracting_dims={2}, rhs_contracting_dims={0}
"""
    assert read_products(program) == 8 * 32 * 16 * 64


def test_products_of_a_grouped_convolution() -> None:
    program = """
  %x = f32[8,24,24,16]{3,2,1,0} parameter(0)
  %k = f32[3,3,4,32]{3,2,1,0} parameter(1)
  %c = f32[8,24,24,32]{3,2,1,0} convolution(%x, %k), window={size=3x3 pad=1_1x1_1}, \
dim_labels=b01f_01io->b01f, feature_group_count=4
"""
    assert read_products(program) == 8 * 24 * 24 * 32 * (3 * 3 * 4)
