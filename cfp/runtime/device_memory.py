"""The memory that a compiled program takes on each device, and whether it is there.

memory_use(compiled)                        MemoryUse(arguments=12.1 MiB, …), peak 52.4 MiB
refuse_over_limit("fsdp", compiled, 2**25)  an error: 52.4 MiB are needed, 32.0 MiB there
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from typing import Any

import jax

from cfp.errors import MemoryLimitError
from cfp.ir.memory import MemoryUse
from cfp.ir.units import bytes_text


def memory_use(compiled: jax.stages.Compiled) -> MemoryUse:
    """XLA's own count; its `peak` is left out, which on CPU is not the peak."""
    analysis: Any = compiled.memory_analysis()
    return MemoryUse(
        arguments=analysis.argument_size_in_bytes,
        results=analysis.output_size_in_bytes,
        aliased=analysis.alias_size_in_bytes,
        temporaries=analysis.temp_size_in_bytes,
    )


def refuse_over_limit(plan: str, compiled: jax.stages.Compiled, limit_bytes: int) -> None:
    """Raises where a program takes more than `limit_bytes` on each device."""
    used = memory_use(compiled)
    if used.peak > limit_bytes:
        *parts, peak = (f"{name} {bytes_text(size)}" for name, size in used.parts)
        raise MemoryLimitError(plan, peak, bytes_text(limit_bytes), ", ".join(parts))
