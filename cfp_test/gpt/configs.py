"""Sizes of GPT, by the letters that CFP's published experiments use (its letter A is not known).

`tiny` runs on a laptop. Its sizes are chosen so that no two dimensions of one tensor coincide:
not even 3 * hidden, batch * seq_len and mlp.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """hidden is split evenly over heads; mlp is the width of the feed-forward layer."""

    hidden: int
    layers: int
    heads: int
    mlp: int
    vocab: int = 51200
    seq_len: int = 1024


def _published(hidden: int, layers: int, heads: int) -> Config:
    return Config(hidden, layers, heads, mlp=4 * hidden)


CONFIGS = {
    "tiny": Config(hidden=64, layers=4, heads=4, mlp=320, vocab=512, seq_len=32),
    "B": _published(1024, 24, 16),
    "C": _published(1536, 24, 16),
    "D": _published(2048, 24, 32),
    "E": _published(2560, 32, 32),
    "F": _published(4096, 32, 32),
    "G": _published(5120, 48, 40),
}
