"""The products of a program as the partitioner leaves them, each led back to its equation.

    %dot.2 = f32[4,16] dot(%a, %p#1), ..., op_name="jit(step)/while/body/cfp:9/0/5/dot_general"
        ->  "9/0/5": ((4, 8), (8, 16), (4, 16))

Later passes turn dots into loops, calls and other dots with other names, so the module is read as
soon as it is partitioned: the compiler writes it down when asked to. `%p#1` is the second array of
a tuple; JAX 0.12.0.1 writes so.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

_RESULT = re.compile(r"^\s*(?:ROOT )?%(?P<name>\S+) = (?P<type>\([^)]*\)|\S+) ")
_DIMS = re.compile(r"\w\[([\d,]*)\]")
_DOT = re.compile(r" dot\(%(?P<lhs>\S+), %(?P<rhs>\S+)\)")
_TAG = re.compile(r"cfp:(\d+(?:/\d+)*)(?=[/)]|$)")


def compile_and_read(lowered):
    """The compiled program; and by path, the shapes of a product's operands and result."""
    with TemporaryDirectory() as folder:
        options = {"xla_dump_to": folder, "xla_dump_hlo_pass_re": "spmd-partitioning"}
        compiled = lowered.compile(options)
        (file,) = Path(folder).glob("*.after_spmd-partitioning.*.txt")
        return compiled, read_products(file.read_text())


def read_products(hlo):
    """By path; an equation that became two products is an error."""
    shapes, found = {}, {}
    for line in hlo.splitlines():
        if not (result := _RESULT.match(line)):
            continue
        name, arrays = result["name"], _DIMS.findall(result["type"])
        shapes[name] = _dims(arrays[0]) if arrays else ()
        shapes |= {f"{name}#{number}": _dims(dims) for number, dims in enumerate(arrays)}
        if dot := _DOT.search(line):
            path = _TAG.findall(line)[-1]
            assert path not in found, f"two products of equation {path}"
            found[path] = (shapes[dot["lhs"]], shapes[dot["rhs"]], shapes[name])
    return found


def _dims(text):
    return tuple(int(size) for size in text.split(",") if size)
