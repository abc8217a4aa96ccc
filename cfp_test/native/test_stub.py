"""The typed stub cfp/_cfp_core.pyi says what the extension has: nanobind writes one to compare."""

import ast
from pathlib import Path

from nanobind.stubgen import StubGen

from cfp import _cfp_core

STUB = Path(__file__).resolve().parents[2] / "cfp" / "_cfp_core.pyi"


def declared(text: str) -> set[str]:
    """`OpRecord.shape -> str` for every class member, `read(hlo: bytes) -> Program`."""
    module = ast.parse(text)
    found = {signature(node) for node in module.body if isinstance(node, ast.FunctionDef)}
    for one in module.body:
        if isinstance(one, ast.ClassDef):
            found.add(f"{one.name}({', '.join(map(ast.unparse, one.bases))})")
            members = [node for node in one.body if isinstance(node, ast.FunctionDef)]
            found.update(f"{one.name}.{signature(node)}" for node in members)
    return found


def signature(node: ast.FunctionDef) -> str:
    return f"{node.name}({ast.unparse(node.args)}) -> {node.returns and ast.unparse(node.returns)}"


def test_the_stub_is_the_extension() -> None:
    generator = StubGen(_cfp_core)
    generator.put(_cfp_core)
    written, generated = declared(STUB.read_text()), declared(generator.get())
    assert "read(hlo: bytes) -> Program" in generated
    assert written == generated
