"""The only door to what JAX does not promise to keep: internal and version-dependent names.

Each name says which version forces it: 0.10.2 is the newest JAX for Python 3.11, and 0.12.0.1, the
newest of all, has the same names.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import sysconfig
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from traceback import walk_tb
from typing import Any, NamedTuple

import jax
from jax._src import compiler as _compiler
from jax._src import config as _config
from jax._src import core as _core
from jax._src import source_info_util as _source_info
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var
from jax.extend.mlir import hlo_to_stablehlo
from jax.extend.source_info_util import NameStack, new_name_stack
from jax.extend.xla import (
    PipelineStage,
    clear_hlo_module_transformation,
    register_hlo_module_transformation,
)
from jaxlib import xla_client as _xla_client

from cfp.ir.step import Equation

_OWN_CODE = str(Path(__file__).parent) + "/"
_JAX_CODE = str(Path(jax.__file__).parent) + "/"
_STANDARD_LIBRARY = sysconfig.get_path("stdlib") + "/"
_INSTALLED = ("/site-packages/", "/dist-packages/")


class SourceLine(NamedTuple):
    """A line of Python source."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


def source_line(traceback: Any, outer: SourceLine | None) -> SourceLine | None:
    """The user's line in an equation's traceback: innermost, outside JAX and installed libraries.

    Without one it is the line of the `outer` equation, and at the top the innermost outside JAX.
    0.10.2: `user_frames` takes the traceback, lists it innermost first, and the traceback of a
    jaxpr that JAX keeps for later calls ends where that jaxpr begins.
    """
    innermost = None
    for frame in _source_info.user_frames(traceback):
        if frame.file_name.startswith(_OWN_CODE):  # beyond it are those who called cfp
            break
        line = SourceLine(frame.file_name, frame.start_line, frame.function_name)
        if _is_users(frame.file_name):
            return line
        innermost = innermost or line
    return outer or innermost


def raising_line(error: BaseException) -> SourceLine | None:
    """The user's line that an exception comes through: the innermost outside all libraries."""
    lines = [
        SourceLine(frame.f_code.co_filename, number, frame.f_code.co_qualname)
        for frame, number in walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(_OWN_CODE)
        and _is_users(frame.f_code.co_filename)
    ]
    return lines[-1] if lines else None


@cache
def _is_users(file: str) -> bool:
    return not file.startswith((_JAX_CODE, _STANDARD_LIBRARY)) and not any(
        folder in file for folder in _INSTALLED
    )


class Tag(NamedTuple):
    """An equation before it was tagged, and what is recorded of it."""

    eqn: JaxprEqn
    equation: Equation


@dataclass(frozen=True)
class _Place:
    """The equation a jaxpr is nested in; at the top, nothing."""

    path: str
    names: NameStack
    source: SourceLine | None


def tag_equations(jaxpr: ClosedJaxpr) -> tuple[ClosedJaxpr, list[Tag]]:
    """The jaxpr with `cfp:<path>` last in every name stack, and the tags, outer before nested.

    The name stack of a nested equation is made whole, from the step down. 0.10.2: jaxprs, equations
    and source infos are rebuilt by `replace`, which jax.extend exports without describing.
    """
    tags: list[Tag] = []
    top = _Place("", new_name_stack(), None)
    return jaxpr.replace(jaxpr=_tag_jaxpr(jaxpr.jaxpr, top, count(), tags)), tags


def _tag_jaxpr(jaxpr: Jaxpr, outer: _Place, numbers: Iterator[int], tags: list[Tag]) -> Jaxpr:
    return jaxpr.replace(
        eqns=[_tag_equation(eqn, outer, next(numbers), tags) for eqn in jaxpr.eqns]
    )


def _tag_equation(eqn: JaxprEqn, outer: _Place, number: int, tags: list[Tag]) -> JaxprEqn:
    own_names = eqn.source_info.name_stack
    here = _Place(
        path=f"{outer.path}/{number}" if outer.path else str(number),
        names=outer.names + own_names,
        source=source_line(eqn.source_info.traceback, outer.source),
    )
    tags.append(Tag(eqn, _describe(eqn, here)))
    numbers = count()
    nested = with_nested(eqn, lambda jaxpr: _tag_jaxpr(jaxpr, here, numbers, tags))
    source_info = eqn.source_info.replace(name_stack=here.names.extend(f"cfp:{here.path}"))
    return nested.replace(source_info=source_info)


def with_nested(eqn: JaxprEqn, rewrite: Callable[[Jaxpr], Jaxpr]) -> JaxprEqn:
    """The equation with every jaxpr among its parameters rewritten.

    Sorted: the order, and so the numbers, must not depend on how JAX wrote the params.
    """
    params = {key: _with_rewritten(value, rewrite) for key, value in sorted(eqn.params.items())}
    return eqn.replace(params=params)


def _with_rewritten(value: Any, rewrite: Callable[[Jaxpr], Jaxpr]) -> Any:
    """The parameter of an equation, with the jaxprs in it rewritten: one, or tuples of them."""
    if isinstance(value, Jaxpr):
        return rewrite(value)
    if isinstance(value, ClosedJaxpr):
        return value.replace(jaxpr=rewrite(value.jaxpr))
    if isinstance(value, tuple) and any(isinstance(one, (Jaxpr, ClosedJaxpr)) for one in value):
        kind: Any = value.__class__
        rewritten = (_with_rewritten(one, rewrite) for one in value)
        return kind._make(rewritten) if hasattr(kind, "_make") else tuple(rewritten)  # named tuples
    return value


def path_of(eqn: JaxprEqn) -> str:
    """`3/0/12` of a tagged equation. 0.10.2: the entries of a name stack are undocumented."""
    last: Any = eqn.source_info.name_stack.stack[-1]
    return last.name.removeprefix("cfp:")


def instantiate(
    template: ClosedJaxpr, operands: Sequence[Var | Literal], like: JaxprEqn
) -> tuple[list[JaxprEqn], list[Var | Literal]]:
    """The equations of a template over these operands, named and set like an equation; its results.

    The template has no constants. 0.10.2: `ctx`, which says under what settings an equation was
    traced, is undocumented.
    """
    atoms: dict[Var, Var | Literal] = dict(zip(template.jaxpr.invars, operands, strict=True))
    eqns: list[JaxprEqn] = []
    for eqn in template.jaxpr.eqns:
        results = [Var(one.aval) for one in eqn.outvars]
        invars = [one if isinstance(one, Literal) else atoms[one] for one in eqn.invars]
        eqns.append(
            eqn.replace(invars=invars, outvars=results, source_info=like.source_info, ctx=like.ctx)
        )
        atoms.update(zip(eqn.outvars, results, strict=True))
    return eqns, [atoms[one] for one in template.jaxpr.outvars]


def _describe(eqn: JaxprEqn, here: _Place) -> Equation:
    file, line, function = here.source or SourceLine("", 0, "")
    return Equation(here.path, eqn.primitive.name, str(here.names), file, line, function)


def one_source_line() -> AbstractContextManager[None]:
    """Lowering in this context writes one source line per instruction, not its whole call stack.

    HLO then does not depend on who called cfp. The line is JAX's idea of the user's: it can be in a
    library, where `source_line` looks further out. 0.10.2: the option is public, its scope is not.
    """
    return _config.traceback_in_locations_limit(1)


def without_module_id(hlo: bytes) -> bytes:
    """An HloModuleProto without field 5, `id`: it counts the modules of this process.

    0.10.2: nothing in JAX sets it. Top-level fields of a module are varints (0) and messages (2).
    """
    kept: list[bytes] = []
    position = 0
    while position < len(hlo):
        key, end = _varint(hlo, position)
        number, end = _varint(hlo, end)
        end += number if key & 7 == 2 else 0
        if key >> 3 != 5:
            kept.append(hlo[position:end])
        position = end
    return b"".join(kept)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number that starts at `position`, and where it ends."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


class JitChoices(NamedTuple):
    """What a jitted function was made of."""

    fun: Callable[..., Any]
    static_argnums: tuple[int, ...]
    static_argnames: tuple[str, ...]
    donate_argnums: tuple[int, ...]


def jit_choices(jitted: jax.stages.Wrapped) -> JitChoices:
    """The function inside a jit, and its choices. 0.10.2: a jit tells them to nobody else."""
    info: Any = getattr(jitted, "_jit_info")  # noqa: B009 - the name is JAX's own
    inner: Any = getattr(jitted, "__wrapped__")  # noqa: B009 - not in the type
    return JitChoices(inner, info.static_argnums, info.static_argnames, info.donate_argnums)


def is_side_effect(effect: object) -> bool:
    """Whether an effect reaches outside the step.

    0.10.2: the effect of an array reference that lives and dies in the step has no public name.
    """
    return not isinstance(effect, _core.InternalMutableArrayEffect)


def argument_names(jaxpr: ClosedJaxpr) -> tuple[str, ...]:
    """`state.params['wte']` for each argument. 0.10.2: `debug_info` of a jaxpr is undocumented."""
    return tuple(jaxpr.jaxpr.debug_info.safe_arg_names(len(jaxpr.in_avals)))


def result_names(jaxpr: ClosedJaxpr) -> tuple[str, ...]:
    """`result[0].params['wte']` for each result. 0.10.2: as `argument_names`."""
    return tuple(jaxpr.jaxpr.debug_info.safe_result_paths(len(jaxpr.out_avals)))


@contextmanager
def compiling_afresh() -> Generator[None]:
    """Compiling in this context neither finds nor leaves anything in JAX's cache on disk.

    The cache takes a program for the same only with its names and lines, and keeps nothing that was
    quick. 0.10.2: the options are public, their scope is not; switching the cache off where no
    program was compiled yet switches it off for the whole process.
    """
    with (
        _config.compilation_cache_include_metadata_in_key(True),
        _config.persistent_cache_min_compile_time_secs(float("inf")),
    ):
        yield


def hlo_text(hlo: bytes) -> str:
    """The text of an HloModuleProto. 0.10.2: jax.extend has no reader of serialised HLO."""
    return _xla_client.XlaComputation(hlo).get_hlo_module().to_string()


def partitioned_hlo(hlo: bytes, pieces: int) -> str:
    """The optimised HLO text of a module whose shardings name the devices 0 to `pieces` - 1.

    GSPMD partitions: it follows a sharding on any instruction, Shardy reads those of arguments
    alone. 0.10.2: HLO that no jit made is compiled by the client, which is not public.
    """
    options = _compiler.get_compile_options(
        num_replicas=1, num_partitions=pieces, device_assignment=[list(range(pieces))]
    )
    options.executable_build_options.use_shardy_partitioner = False
    devices: list[Any] = jax.devices("cpu")[:pieces]
    program = hlo_to_stablehlo(hlo)
    with _optimized_only() as modules:
        try:
            devices[0].client.compile_and_load(
                program, _xla_client.DeviceList(tuple(devices)), options
            )
        except jax.errors.JaxRuntimeError:
            if not modules:
                raise
    return _xla_client.XlaComputation(modules[0]).get_hlo_module().to_string()


@contextmanager
def _optimized_only() -> Generator[list[bytes]]:
    """XLA:CPU stops in this context when a module is optimised; the list then holds the module.

    The code it would generate takes most of the time and nobody is to run it. Meanwhile no other
    thread of this process can compile for the CPU.
    """
    modules: list[bytes] = []

    def stop(module: bytes) -> None:
        modules.append(module)
        raise StopIteration  # becomes the error of the compilation

    name, stage = "cfp stops here", PipelineStage.POST_SCHEDULER
    register_hlo_module_transformation(stop, name=name, stage=stage, platforms="cpu")
    try:
        yield modules
    finally:
        clear_hlo_module_transformation(name, stage, platforms="cpu")
