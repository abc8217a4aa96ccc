"""`jax.jit` for tests that run a program a few times: compiles twice as fast, runs slower.

XLA:CPU spends most of a compilation on optimising in LLVM, which does not change what a program
computes beyond rounding. (BERT of two layers: 2.4 s of CPU instead of 4.7.)
"""

from functools import partial

import jax

quick_jit = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
