"""Sizes of LLaMA-2: CFP's published two (called B and C here), Meta's 70B, and `tiny`.

The published figures give hidden, mlp and heads; 32 layers, 2048 tokens and 32000 words are
ours. B and C have as many key/value heads as query heads; 70B groups eight queries per pair.
In `tiny` no two dimensions of one tensor coincide: attention is [8, 32, 4 pairs, 3 queries, 16].
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """heads query heads share num_kv_heads key/value heads in equal groups."""

    hidden: int
    layers: int
    heads: int
    num_kv_heads: int
    mlp: int
    vocab: int = 32000
    seq_len: int = 2048

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


CONFIGS = {
    "tiny": Config(hidden=192, layers=4, heads=12, num_kv_heads=4, mlp=320, vocab=512, seq_len=32),
    "B": Config(hidden=4096, layers=32, heads=32, num_kv_heads=32, mlp=11008),
    "C": Config(hidden=6656, layers=32, heads=32, num_kv_heads=32, mlp=11008),
    "70B": Config(hidden=8192, layers=80, heads=64, num_kv_heads=8, mlp=28672, seq_len=4096),
}
