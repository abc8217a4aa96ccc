"""Random text for the causal language models: inputs, and as targets the same text one token on."""

import jax


def random_text(key: jax.Array, batch_size: int, seq_len: int, vocab: int) -> dict[str, jax.Array]:
    """{"inputs": [batch, seq], "targets": [batch, seq]} of uniformly random tokens."""
    text = jax.random.randint(key, (batch_size, seq_len + 1), 0, vocab)
    return {"inputs": text[:, :-1], "targets": text[:, 1:]}
