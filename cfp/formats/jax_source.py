"""A plan as plain JAX source: one file that shards the step and knows nothing of cfp.

    text = to_jax_source(step, layout, plan)         Path("sharded_step.py").write_text(text)

    MESH = {"data": 4, "model": 2}
    DATA_0 = P("data")
    MODEL_1 = P(None, "model")
    ARGUMENTS = {"state.params['w1']": MODEL_1, …}
    CONSTRAINTS = (
        # model.py:57
        Constraint("dot_general", (DATA_0, MODEL_1), DATA_0_MODEL_1, "12 118 224"),

Whoever has the file imports `shard` from it, or puts the constraints into the model by hand: its
last table tells after which line which one belongs.
"""

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cfp.errors import NoSuchFormError
from cfp.formats.jax_source_code import CODE, IMPORTS, KINDS
from cfp.formats.spec_text import major_parts, spec_names, spec_text, unnested
from cfp.ir.array_text import array_text, cuts_text
from cfp.ir.layout import Cuts, Layout, Pin
from cfp.ir.op import Source
from cfp.ir.plan import Plan
from cfp.ir.step import ArrayInfo, Equation, TracedStep

Names = Mapping[Cuts, str]


def to_jax_source(step: TracedStep, layout: Layout, plan: Plan) -> str:
    """The text of a Python file; `shard` in it does what `shard_step` does here."""
    _refuse_unsayable(step, layout, plan)
    made = _made_elsewhere(step, layout)
    names = spec_names(_used(layout, made.values()))
    tables = [
        _mesh_table(plan),
        "\n".join(f"{name} = {spec_text(cuts)}" for cuts, name in names.items()),
        _border_table("ARGUMENTS", step.arguments, layout.arguments, names),
        _border_table("RESULTS", step.results, layout.results, names),
        _made_table(made, names),
        _donated(step),
        _constraints(step, layout, names),
    ]
    by_hand = "".join(f"{line}\n" for line in _by_hand(step, layout))
    return (
        f"{_docstring(step, plan)}\n{IMPORTS}{KINDS}\n" + "\n\n".join(tables) + f"\n{by_hand}{CODE}"
    )


def _refuse_unsayable(step: TracedStep, layout: Layout, plan: Plan) -> None:
    """A NamedSharding has no cuts inside parts, and reshaping none inside parts across parts."""
    border = zip(
        (*step.arguments, *step.results), (*layout.arguments, *layout.results), strict=True
    )
    for array, cuts in border:
        if major_parts(cuts):
            raise NoSuchFormError(plan.name, "JAX source", f"{array.name} lies {cuts_text(cuts)}")
    for pin in layout.pins:
        for cuts in (*pin.operands, pin.result):
            if cuts and unnested(cuts):
                where = f"equation {pin.path} needs {cuts_text(cuts)}"
                raise NoSuchFormError(plan.name, "JAX source", where)


def _made_elsewhere(step: TracedStep, layout: Layout) -> dict[str, Cuts]:
    """The results that are computed otherwise than they lie at the end."""
    rows = zip(_keys(step.results), layout.made, layout.results, strict=True)
    return {key: made for key, made, result in rows if made != result}


def _keys(arrays: Sequence[ArrayInfo]) -> list[str]:
    """The names, made different where two arrays share one."""
    names = Counter(one.name for one in arrays)
    return [
        one.name if names[one.name] == 1 else f"{one.name} {number}"
        for number, one in enumerate(arrays)
    ]


def _used(layout: Layout, made: Iterable[Cuts]) -> list[Cuts]:
    pinned = [cuts for pin in layout.pins for cuts in (*pin.operands, pin.result)]
    used = [*layout.arguments, *layout.results, *made, *pinned]
    return [cuts for cuts in used if cuts is not None]


# ---- tables


def _docstring(step: TracedStep, plan: Plan) -> str:
    mentioned = sorted({one.name.partition("[")[0].partition(".")[0] for one in step.arguments})
    static = "".join(
        f"\nFirst bind the static argument: step = functools.partial(step, {one.name}={one.value})."
        for one in step.static_arguments
    )
    return f'''\
"""Step `{step.name}` on {plan.mesh}, sharded as plan {plan.name!r} says. It needs JAX alone.

    sharded = shard(step, args)     the step as it was when the plan was made, and its arguments,
    results = sharded(*args)        arrays or jax.ShapeDtypeStructs: {", ".join(mentioned)}
{static}
ARGUMENTS and RESULTS say how the arrays lie that go in and come out, in their order; MADE how
results are computed that lie otherwise at the end; CONSTRAINTS how operands and results of the
equations of the step's jaxpr lie, by the numbers that jax {plan.jax_version} gives them.
A constant is called after the mesh axes and the dimensions that they cut.
"""
'''


def _mesh_table(plan: Plan) -> str:
    return f"MESH = {json.dumps(dict(plan.mesh.axes))}"


def _border_table(
    title: str, arrays: Sequence[ArrayInfo], places: Sequence[Cuts], names: Names
) -> str:
    rows = (
        f"    {json.dumps(key)}: {names[cuts]},  # {array_text(array)}"
        for key, array, cuts in zip(_keys(arrays), arrays, places, strict=True)
    )
    return "\n".join([f"{title} = {{", *rows, "}"])


def _made_table(made: Mapping[str, Cuts], names: Names) -> str:
    rows = (f"    {json.dumps(array)}: {names[cuts]}," for array, cuts in made.items())
    return "\n".join(["MADE = {", *rows, "}"]) if made else "MADE = {}"


def _donated(step: TracedStep) -> str:
    numbers = [str(number) for number, one in enumerate(step.arguments) if one.donated]
    start, end = "DONATED = (", ",)" if len(numbers) == 1 else ")"
    lines = textwrap.wrap(start + ", ".join(numbers) + end, 100, subsequent_indent="    ")
    return "\n".join(lines)


def _constraints(step: TracedStep, layout: Layout, names: Names) -> str:
    """Equations of one line that are constrained alike share a row."""
    alike: dict[str, dict[str, list[str]]] = {}
    for equation, pin in _pinned(step, layout):
        operands = [_name(cuts, names) for cuts in pin.operands]
        row = f'"{equation.primitive}", {_tuple(operands)}, {_name(pin.result, names)}'
        rows = alike.setdefault(_place(equation), {})
        rows.setdefault(row, []).append(pin.path)
    lines = [
        line
        for place, rows in alike.items()
        for line in (f"    # {place}", *(one for pair in rows.items() for one in _row(*pair)))
    ]
    return "\n".join(["CONSTRAINTS = (", *lines, ")"]) if lines else "CONSTRAINTS = ()"


def _row(start: str, paths: Sequence[str]) -> Iterator[str]:
    """A Constraint on one line, or its equations on lines of their own."""
    line = f'    Constraint({start}, "{" ".join(paths)}"),'
    if len(line) <= 100:
        yield line
        return
    yield "    Constraint("
    yield f"        {start},"
    for part in textwrap.wrap(" ".join(paths), 85, break_on_hyphens=False):
        yield f'        "{part} "'
    yield "    ),"


def _pinned(step: TracedStep, layout: Layout) -> Iterator[tuple[Equation, Pin]]:
    """The pins in the order of their equations."""
    pins = {pin.path: pin for pin in layout.pins}
    return ((one, pins[one.path]) for one in step.equations if one.path in pins)


def _name(cuts: Cuts | None, names: Names) -> str:
    return "None" if cuts is None else names[cuts]


def _tuple(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def _place(equation: Equation) -> str:
    """`model.py:57 in Layer.attend`."""
    line = str(Source(equation.source_file, equation.source_line))
    return f"{line} in {equation.source_function}" if equation.source_function else line


# ---- by hand


def _by_hand(step: TracedStep, layout: Layout) -> list[str]:
    """A comment for each line of the model whose forward values are decided."""
    advice: dict[str, dict[str, None]] = {}
    for equation, pin in _pinned(step, layout):
        if pin.result is not None and _is_forward(equation):
            line = f"{equation.primitive}: {_advice(pin.result)}"
            advice.setdefault(_place(equation), {})[line] = None
    if not advice:
        return []
    told = [
        text
        for place, lines in advice.items()
        for text in (place, *(f"    {line}" for line in lines))
    ]
    return ["", _BY_HAND, *(f"# {text}" for text in told)]


_BY_HAND = (
    "# By hand instead: after these lines, constrain what they compute; its gradient follows."
)


def _is_forward(equation: Equation) -> bool:
    """Neither a gradient nor a recomputation, by JAX's own names."""
    return not any(word in equation.name_stack for word in ("transpose(", "rematted_computation"))


def _advice(cuts: Cuts) -> str:
    if major_parts(cuts):
        return f"reshape, and constrain to {cuts_text(cuts)}"
    return f"x = jax.lax.with_sharding_constraint(x, {spec_text(cuts)})"
