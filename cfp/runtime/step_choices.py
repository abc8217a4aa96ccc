"""Which arguments of a step are static and which are donated, by position and by name.

    def step(state, batch, *, mode): ...       static_argnames="mode", donate_argnums=0
    chosen.frozen((state, batch), {"mode": "fast"})    (state, batch), {"mode": Static("fast")}

A position also means the parameter that stands there, given by name, and a name the position of its
parameter; calls that differ in that alone become the same. A step that is jitted already is taken
out of its jit: what it was jitted with counts as if it had been given here.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax

from cfp import _jax
from cfp.errors import UnhashableStaticError
from cfp.runtime.static import Static, has_hash

Step = Callable[..., Any]
Positions = int | Sequence[int]
Names = str | Sequence[str]

POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
POSITIONAL_OR_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass(frozen=True)
class StepChoices:
    """The step, and what was chosen for its arguments."""

    fun: Step
    name: str
    parameters: tuple[str, ...]
    by_name: frozenset[str]
    static_positions: frozenset[int]
    static_names: frozenset[str]
    donated_positions: tuple[int, ...]

    def frozen(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call: by position where that can be, as Static where they are."""
        positional, named = self._by_position(args, kwargs)
        frozen = tuple(
            self._static(self._name(number), one) if number in self.static_positions else one
            for number, one in enumerate(positional)
        )
        return frozen, {
            name: self._static(name, one) if name in self.static_names else one
            for name, one in named.items()
        }

    def _by_position(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        positional, named = list(args), dict(kwargs)
        for name in self.parameters[len(positional) :]:
            if name not in named or name not in self.by_name:
                break
            positional.append(named.pop(name))
        return positional, named

    def _name(self, position: int) -> str:
        return (*self.parameters, f"argument {position}")[min(position, len(self.parameters))]

    def _static(self, argument: str, value: Any) -> Static:
        if not has_hash(value):
            raise UnhashableStaticError(self.name, argument, type(value).__name__)
        return Static(value)


def choose(
    fun: Step, static_argnums: Positions, static_argnames: Names, donate_argnums: Positions
) -> StepChoices:
    """What `jax.jit` would choose."""
    static, names, donated = map(_several, (static_argnums, static_argnames, donate_argnums))
    if isinstance(fun, jax.stages.Wrapped):
        jitted = _jax.jit_choices(fun)
        fun = jitted.fun
        static += jitted.static_argnums
        names += jitted.static_argnames
        donated += jitted.donate_argnums
    parameters = _parameters(fun, POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD)
    static = _counted(static, len(parameters))
    return StepChoices(
        fun=fun,
        name=_name_of(fun),
        parameters=parameters,
        by_name=frozenset(_parameters(fun, POSITIONAL_OR_KEYWORD)),
        static_positions=frozenset(
            (*static, *(parameters.index(name) for name in names if name in parameters))
        ),
        static_names=frozenset(
            (*names, *(parameters[number] for number in static if number < len(parameters)))
        ),
        donated_positions=_counted(donated, len(parameters)),
    )


def _several(choice: Any) -> tuple[Any, ...]:
    return (choice,) if isinstance(choice, (int, str)) else tuple(choice)


def _counted(numbers: Iterable[int], total: int) -> tuple[int, ...]:
    """The numbers in order, once each, those below 0 counted from the end."""
    return tuple(sorted({number % total if number < 0 else number for number in numbers}))


def _name_of(fun: Step) -> str:
    while isinstance(fun, partial):
        fun = fun.func
    return getattr(fun, "__name__", type(fun).__name__)


def _parameters(fun: Step, *kinds: Any) -> tuple[str, ...]:
    parameters = inspect.signature(fun).parameters.values()
    return tuple(one.name for one in parameters if one.kind in kinds)
