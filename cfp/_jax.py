"""The only door to what JAX does not promise to keep: internal and version-dependent names.

Each name says which version forces it: 0.10.2 is the newest JAX for Python 3.11, and 0.12.0.1, the
newest of all, has the same names.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

import sysconfig
from collections.abc import Iterator
from contextlib import AbstractContextManager
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
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jax.extend.mlir import hlo_to_stablehlo
from jax.extend.source_info_util import NameStack, new_name_stack
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
    params = {  # sorted: the numbers must not depend on the order in which JAX wrote the params
        key: _tag_param(value, here, numbers, tags) for key, value in sorted(eqn.params.items())
    }
    source_info = eqn.source_info.replace(name_stack=here.names.extend(f"cfp:{here.path}"))
    return eqn.replace(params=params, source_info=source_info)


def _tag_param(value: Any, outer: _Place, numbers: Iterator[int], tags: list[Tag]) -> Any:
    """The parameter of an equation, with the jaxprs in it tagged: one, or tuples of them."""
    if isinstance(value, Jaxpr):
        return _tag_jaxpr(value, outer, numbers, tags)
    if isinstance(value, ClosedJaxpr):
        return value.replace(jaxpr=_tag_jaxpr(value.jaxpr, outer, numbers, tags))
    if isinstance(value, tuple) and any(isinstance(one, (Jaxpr, ClosedJaxpr)) for one in value):
        kind: Any = value.__class__
        tagged = (_tag_param(one, outer, numbers, tags) for one in value)
        return kind._make(tagged) if hasattr(kind, "_make") else tuple(tagged)  # named tuples
    return value


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


def partitioned_hlo(hlo: bytes, pieces: int) -> str:
    """The optimised HLO text of a module whose shardings name the devices 0 to `pieces` - 1.

    GSPMD partitions: it follows a sharding on any instruction, Shardy reads those of arguments
    alone. Only the text is wanted, so the cheapest code is asked for. 0.10.2: HLO that no jit made
    is compiled by the client, which is not public.
    """
    options = _compiler.get_compile_options(
        num_replicas=1,
        num_partitions=pieces,
        device_assignment=[list(range(pieces))],
        env_options_overrides={
            "xla_backend_optimization_level": "0",
            "xla_cpu_use_fusion_emitters": "False",
        },
    )
    options.executable_build_options.use_shardy_partitioner = False
    devices: list[Any] = jax.devices("cpu")[:pieces]
    executable = devices[0].client.compile_and_load(
        hlo_to_stablehlo(hlo), _xla_client.DeviceList(tuple(devices)), options
    )
    return executable.hlo_modules()[0].to_string()
