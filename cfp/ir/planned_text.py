"""What a plan makes of every op, a note for each: its part on one device, what it moves.

holds [2,32,64]  data: strategy 0, megatron: strategy 4  moves all-reduce of %265 on megatron, …
"""

from itertools import groupby

from cfp.ir.analysis import Analysis
from cfp.ir.layout import Layout, Transfer, local_shape
from cfp.ir.plan import Plan
from cfp.ir.shape import dims
from cfp.ir.units import bytes_text


def planned_notes(analysis: Analysis, plan: Plan, layout: Layout) -> list[str]:
    """By op: what one device holds of it, the strategies of its block, and the transfers."""
    assigned = _assigned(plan)
    moved = {
        op: ", ".join(_movement(one) for one in group)
        for op, group in groupby(sorted(layout.transfers, key=_mover), key=_mover)
    }
    return [
        f"{_part(analysis, layout, number)}{assigned.get((op.owner, op.owner_index), '')}"
        f"{'  moves ' + moved[number] if number in moved else ''}"
        for number, op in enumerate(analysis.ops)
    ]


def _assigned(plan: Plan) -> dict[tuple[str, int], str]:
    """`  data: strategy 0, megatron: whole` for every block, by owner."""
    texts: dict[tuple[str, int], str] = {}
    for choice in plan.choices:
        said = ", ".join(
            f"{axis}: {'whole' if one < 0 else f'strategy {one}'}"
            for axis, one in zip(plan.mesh.names, choice.strategies, strict=True)
        )
        texts |= {("block", block): f"  {said}" for block in choice.blocks}
    return texts


def _part(analysis: Analysis, layout: Layout, op: int) -> str:
    shape = analysis.ops[op].shape
    if shape.startswith("("):
        return ""
    local = local_shape(dims(shape), layout.values[op], layout.mesh)
    return f"  holds [{','.join(map(str, local))}]"


def _mover(transfer: Transfer) -> int:
    """The op that a transfer is told at: the one that needs it, of results the one that made it."""
    return transfer.reader if transfer.reader >= 0 else transfer.value


def _movement(transfer: Transfer) -> str:
    times = f"{transfer.times} x " if transfer.times > 1 else ""
    size = bytes_text(transfer.size_bytes)
    return f"{times}{transfer.kind} of %{transfer.value} on {transfer.axis}, {size}"
