"""`jax.jit` for tests that run a program a few times: compiles four times faster, runs slower.

XLA:CPU spends most of a compilation on emitting fusions and optimising them in LLVM; neither
changes what a program computes beyond rounding. (BERT of two layers: 0.45 s of CPU instead of 2.0.)
"""

from functools import partial

import jax

quick_jit = partial(
    jax.jit,
    compiler_options={"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False},
)
