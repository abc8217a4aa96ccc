"""The program of a sharded step, compiled for an audit: fresh, so that the compiler speaks.

    compile_for_audit(sharded)    the executable, and what XLA wrote while it made it

JAX and its cache on disk keep what was compiled, and warnings come only while XLA works. So the
step's flat function is wrapped anew, which JAX does not know, and the cache is passed by.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from typing import Any

import jax

from cfp import _jax
from cfp.audit.rematerializations import with_stderr
from cfp.runtime.sharded_step import ShardedStep


def compile_for_audit(sharded: ShardedStep) -> tuple[jax.stages.Compiled, str]:
    """The compiled program, and the compiler's log."""
    jitted: Any = sharded.jitted
    jaxpr: Any = sharded.step.jaxpr

    def flat_step(*arrays: Any) -> Any:
        return jitted.__wrapped__(*arrays)

    flat_step.__name__ = sharded.step.name
    fresh = jax.jit(
        flat_step,
        in_shardings=sharded.argument_shardings,
        out_shardings=sharded.result_shardings,
        donate_argnums=[number for number, one in enumerate(sharded.step.arguments) if one.donated],
        keep_unused=True,
    )
    lowered = fresh.lower(*jaxpr.in_avals)
    with _jax.compiling_afresh():
        return with_stderr(lowered.compile)
