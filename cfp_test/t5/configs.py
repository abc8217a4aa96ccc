"""Sizes of T5, by letter: B is the 770M that Aceso profiled, C and D are the 3B and 11B above it.

`layers` counts the encoder's; the decoder has as many. Encoder and decoder lengths of 2048 and
512 are ours. `tiny` keeps the two lengths and all widths of a tensor apart.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """Heads have their own width: heads * head_dim need not be hidden."""

    hidden: int
    layers: int
    heads: int
    head_dim: int
    mlp: int
    vocab: int = 32128
    seq_len: int = 2048
    target_len: int = 512
    buckets: int = 32


CONFIGS = {
    "tiny": Config(
        hidden=64,
        layers=4,
        heads=4,
        head_dim=16,
        mlp=320,
        vocab=512,
        seq_len=32,
        target_len=24,
        buckets=12,
    ),
    "B": Config(hidden=1024, layers=24, heads=16, head_dim=64, mlp=4096),
    "C": Config(hidden=1024, layers=24, heads=32, head_dim=128, mlp=16384),
    "D": Config(hidden=1024, layers=24, heads=128, head_dim=128, mlp=65536),
}
