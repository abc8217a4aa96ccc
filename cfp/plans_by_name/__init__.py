"""The plans that experts write by hand, by name, for any step: made from its analysis alone.

    baseline("data:4 x megatron:2 + fsdp", step, analysis, devices=8)    one Plan
    baselines(step, analysis, 8)                                         all that fit

names reads a name, shares lays its parts on a mesh, splits says what each kind may do with a block,
fewest_bytes chooses among that, storage says how arguments lie between steps.
"""

from cfp.plans_by_name.by_name import baseline
from cfp.plans_by_name.every import Baselines, LeftOut, baselines

__all__ = ["Baselines", "LeftOut", "baseline", "baselines"]
