"""What one device multiplies, beside what was decided.

    pin 412      x (data: dim 0) · W (model: dim 1), [64,128] · [128,32] on data:4 x model:2
    decided      b 1, m 16, n 16, k 128
    %dot.7       b 1, m 16, n 16, k 128, from its operands' shapes

b, m, n and k are the products of the batch dimensions, of the first operand's own, of the second's
and of those that are summed over; an axis that cuts an operand divides what its dimension is part
of. The compiler may exchange the operands, so m and n are told by size. A convolution has too many
forms for that: its number of products is compared.
"""

import re
from dataclasses import dataclass
from math import prod

from cfp.audit.sources import source_of
from cfp.ir.audit import Mispartition
from cfp.ir.compiled import Array, CompiledProgram, Instruction
from cfp.ir.layout import Layout, Pin
from cfp.ir.step import TracedStep

Sizes = dict[str, int]

_REARRANGES = ("transpose", "reshape", "bitcast", "copy", "convert")
_KERNEL = re.compile(r"dim_labels=\w+_(\w+)->")


@dataclass(frozen=True, slots=True)
class Product:
    """A dot or a convolution with the shapes of its operands."""

    instruction: Instruction
    operands: tuple[Array, ...]

    @property
    def is_dot(self) -> bool:
        """Whether its dimensions are batch, free or contracted; a convolution has more kinds."""
        return self.instruction.opcode == "dot"

    @property
    def kinds(self) -> tuple[tuple[str, ...], ...]:
        """What each dimension of the operands and the result of a dot is."""
        sides: list[tuple[str, ...]] = []
        for hand, side, array in zip(("lhs", "rhs"), "mn", self.operands, strict=True):
            kind = [side] * len(array.dims)
            for name, letter in (("batch", "b"), ("contracting", "k")):
                for dim in self.instruction.numbers(f"{hand}_{name}_dims"):
                    kind[dim] = letter
            sides.append(tuple(kind))
        left, right = sides
        order = ("b",) * left.count("b") + ("m",) * left.count("m") + ("n",) * right.count("n")
        return left, right, order

    @property
    def sizes(self) -> Sizes:
        """`{"b": 1, "m": 64, "n": 32, "k": 128}`; of a convolution `{"products": …}`."""
        if not self.is_dot:
            return {"products": self._convolved()}
        sizes = dict.fromkeys("bmnk", 1)
        left, right, _ = self.kinds
        for kind, size in zip(left, self.operands[0].dims, strict=True):
            sizes[kind] *= size
        for kind, size in zip(right, self.operands[1].dims, strict=True):
            sizes[kind] *= size if kind == "n" else 1
        return sizes

    def _convolved(self) -> int:
        """Each number of the result sums over the kernel but for its output features."""
        kernel = self.operands[1]
        labels = _KERNEL.search(self.instruction.attributes)
        features = kernel.dims[labels[1].index("o")] if labels else 1
        return self.instruction.arrays[0].elements * kernel.elements // features


def compare_contractions(
    whole: CompiledProgram, program: CompiledProgram, step: TracedStep, layout: Layout
) -> tuple[int, tuple[str, ...], tuple[Mispartition, ...]]:
    """How many contractions are pinned, which of them the program lacks, which are not as decided.

    `whole` is the step's own HLO, in which every equation has its op, of the whole sizes. The
    compiler may have rewritten a contraction and forgotten its name: one without a name stands for
    one that is missed and of its sizes.
    """
    before, after = _by_equation(whole), _by_equation(program)
    names = _other_names(whole)
    nameless = [one.sizes for one in after.pop("", ())]
    pins = [pin for pin in layout.pins if pin.path in before]
    unseen: list[str] = []
    wrong: list[Mispartition] = []
    for pin in pins:
        decided = _decided(before[pin.path][0], pin, layout)
        paths = [pin.path, *(path for path in names.get(pin.path, ()) if path not in before)]
        found = [one.sizes for path in paths for one in after.get(path, ())]
        found = found or _taken(decided, nameless)
        others = sorted({_text(one) for one in found if not _agree(one, decided)})
        if not found:
            unseen.append(pin.path)
        elif others:
            source = source_of(step, pin.path)
            wrong.append(Mispartition(pin.path, source, _text(decided), ", and ".join(others)))
    return len(pins), tuple(unseen), tuple(wrong)


def _taken(decided: Sizes, nameless: list[Sizes]) -> list[Sizes]:
    """The first of the nameless ones that agrees, no longer among them; nothing where none does."""
    agreeing = [one for one in nameless if _agree(one, decided)][:1]
    for one in agreeing:
        nameless.remove(one)
    return agreeing


def _other_names(whole: CompiledProgram) -> dict[str, list[str]]:
    """The equations of the transposes that read each contraction, after which it may be named.

    A compiler turns the product and the transpose of its result into one product.
    """
    names: dict[str, list[str]] = {}
    for computation in whole.computations:
        maker: dict[str, str] = {}
        for one in computation.instructions:
            if one.opcode in ("dot", "convolution"):
                maker[one.name] = one.equation
            elif one.opcode in _REARRANGES and one.operands[0] in maker:
                maker[one.name] = maker[one.operands[0]]
                names.setdefault(maker[one.name], []).append(one.equation)
    return names


def _agree(found: Sizes, decided: Sizes) -> bool:
    """Whether the sizes are the same; a convolution may have become a dot of as many products."""
    if found.keys() != decided.keys():
        return prod(found.values()) == prod(decided.values())
    return _text(found) == _text(decided)


def _by_equation(program: CompiledProgram) -> dict[str, list[Product]]:
    """The dots and convolutions of a program, by the equation that each comes from."""
    found: dict[str, list[Product]] = {}
    for computation in program.computations:
        arrays = {one.name: one.arrays[0] for one in computation.instructions if one.arrays}
        for one in computation.instructions:
            if one.opcode in ("dot", "convolution"):
                product = Product(one, tuple(arrays[name] for name in one.operands))
                found.setdefault(one.equation, []).append(product)
    return found


def _decided(product: Product, pin: Pin, layout: Layout) -> Sizes:
    """The sizes on one device: those of the whole, divided by the axes that cut its dimensions.

    An axis that cuts the operands does so while it is computed, whatever becomes of the result.
    """
    places = [cuts or () for cuts in (*pin.operands[:2], pin.result)]
    known = {cut.axis for cuts in places[:2] for cut in cuts}
    places[2] = tuple(cut for cut in places[2] if cut.axis not in known)
    sizes = product.sizes
    if product.is_dot:
        divided = {
            (kind[cut.dim], cut.axis)
            for kind, cuts in zip(product.kinds, places, strict=True)
            for cut in cuts
        }
    else:
        divided = {("products", cut.axis) for cuts in places for cut in cuts}
    for kind, axis in divided:
        sizes[kind] //= layout.mesh.size(axis)
    return sizes


def _text(sizes: Sizes) -> str:
    """`b 1, m 16, n 64, k 128`, the smaller of m and n first."""
    if "m" in sizes:
        smaller, larger = sorted((sizes["m"], sizes["n"]))
        sizes = {**sizes, "m": smaller, "n": larger}
    return ", ".join(f"{kind} {size}" for kind, size in sizes.items())
