"""Sizes of MoE: the one of CFP's published experiments (called B here) and `tiny`.

The published figures leave out the width of an expert; 8 * hidden is ours. In `tiny` a group is
two sequences, as in B, and no two dimensions of one tensor coincide: dispatch is
[4 groups, 64 tokens, 16 experts, 12 places].
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """Tokens are routed within groups of `group` tokens; `mlp` is the width of one expert."""

    hidden: int
    layers: int
    heads: int
    mlp: int
    experts: int
    group: int
    vocab: int = 32000
    seq_len: int = 1024
    capacity_factor: float = 1.5

    @property
    def capacity(self) -> int:
        """Places per expert and group: its even share of two choices per token, and slack."""
        return max(1, int(2 * self.group / self.experts * self.capacity_factor))


CONFIGS = {
    "tiny": Config(
        hidden=96, layers=4, heads=4, mlp=320, experts=16, group=64, vocab=512, seq_len=32
    ),
    "B": Config(hidden=1280, layers=16, heads=16, mlp=10240, experts=32, group=2048),
}
