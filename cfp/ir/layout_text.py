"""Where the arguments of a step lie, as people read it.

argument                size     on one device  lies
state.params['wte']     512 KiB  256 KiB        dim 1 by model
batch['x']              128 KiB  32.0 KiB       dim 0 by data
"""

from dataclasses import replace

from cfp.ir.argument_patterns import matching
from cfp.ir.array_text import cuts_text
from cfp.ir.layout import Layout, local_shape
from cfp.ir.step import TracedStep
from cfp.ir.step_text import size_bytes
from cfp.ir.table import table, unbroken
from cfp.ir.units import bytes_text

HEADER = ("argument", "size", "on one device", "lies")
WHERE = "what `explain` is asked about"


def arguments_text(step: TracedStep, layout: Layout, pattern: str) -> str:
    """A line for each argument that the pattern matches."""
    rows: list[tuple[str, ...]] = []
    for number in matching(step, pattern, WHERE):
        info, cuts = step.arguments[number], layout.arguments[number]
        local = replace(info, shape=local_shape(info.shape, cuts, layout.mesh))
        sizes = (bytes_text(size_bytes(info)), bytes_text(size_bytes(local)))
        rows.append((info.name, *sizes, unbroken(cuts_text(cuts))))
    return "\n".join(table(HEADER, rows, indent=0))
