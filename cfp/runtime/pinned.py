"""Puts the pins of a layout into a step: constraints before and after each pinned equation.

    c = dot_general a b             cfp:3     pin 3: a is cut on data, b is whole, c is cut on data

    d = sharding_constraint a       cfp:3
    e = sharding_constraint b       cfp:3
    f = dot_general d e             cfp:3
    g = sharding_constraint f       cfp:3     and whoever read c reads g

Both sides are needed: the partitioner may compute a product otherwise than its result lies. Nothing
is evaluated: equations are written anew where they read something else than before, those that hold
pinned ones get a new body, and JAX runs the whole as it would have run the step. The body of a
`shard_map` already speaks of one device: no pin reaches into it. What is pinned inside major parts
is computed on its parts: `cfp.runtime.unfolded`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# JAX annotates its own functions in part; what comes from them is unknown to a strict checker.

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from jax import lax
from jax.extend.core import ClosedJaxpr, DropVar, Jaxpr, JaxprEqn, Literal, Var

from cfp import _jax
from cfp.ir.layout import Cuts
from cfp.runtime.pins import Pins
from cfp.runtime.sharding import Subject, constraint, has_sharding, sharding_of
from cfp.runtime.unfolded.form import Form, form_for, form_of, unfolded_cuts, unfolded_shape
from cfp.runtime.unfolded.rules import RULES
from cfp.runtime.unfolded.spread import carried_forms, forms_within
from cfp.runtime.windows import axes_by_hand, convolution_by_hand

Atom = Var | Literal


def pinned(jaxpr: ClosedJaxpr, pins: Pins, made: Sequence[Cuts]) -> ClosedJaxpr:
    """The step's jaxpr with every pin in place, and every result where it is made."""
    writing = _Writing(jaxpr.jaxpr, pins)
    results = writing.results()
    for number, (atom, cuts) in enumerate(zip(jaxpr.jaxpr.outvars, made, strict=True)):
        maker = writing.maker(atom)
        if maker is not None and has_sharding(cuts):
            array = pins.step.results[number]
            subject = Subject(array.shape, f"{array.name} where it is made", pins.where(maker))
            results[number] = writing.constrained(results[number], cuts, subject, maker)
    return jaxpr.replace(jaxpr=jaxpr.jaxpr.replace(eqns=writing.eqns, outvars=results))


def _body(jaxpr: Jaxpr, pins: Pins) -> Jaxpr:
    writing = _Writing(jaxpr, pins)
    return jaxpr.replace(outvars=writing.results(), eqns=writing.eqns)


class _Writing:
    """A jaxpr that is written anew: its equations, and where it has the values of the old one."""

    def __init__(self, old: Jaxpr, pins: Pins) -> None:
        self.eqns: list[JaxprEqn] = []
        self._old = old
        self._pins = pins
        self._values: dict[Var, dict[Form, Atom]] = {}
        self._makers: dict[Var, JaxprEqn] = {}
        self._folded: dict[Var, Cuts] = {}
        cuts = [pins.cuts(eqn) for eqn in old.eqns]
        asked = [{number: form_of(one) for number, one in each.items()} for each in cuts]
        carried = carried_forms(old, asked)
        for eqn, eqn_cuts, eqn_asked in zip(old.eqns, cuts, asked, strict=True):
            self._write(eqn, eqn_cuts, forms_within(eqn, eqn_asked, carried))

    def maker(self, atom: Atom) -> JaxprEqn | None:
        """The equation of the old jaxpr whose result a value is; None of an argument or literal."""
        return self._makers.get(atom) if isinstance(atom, Var) else None

    def results(self) -> list[Atom]:
        """The results of the old jaxpr, as they are."""
        return [self._read(one, (), self.maker(one)) for one in self._old.outvars]

    def constrained(self, atom: Atom, cuts: Cuts, subject: Subject, like: JaxprEqn) -> Atom:
        """A value in its place."""
        if isinstance(atom, Literal):
            return atom
        template = constraint(sharding_of(self._pins.mesh, cuts, subject), atom)
        return self._append(template, [atom], like)[0]

    def _write(self, eqn: JaxprEqn, cuts: Mapping[int, Cuts], forms: Sequence[Form]) -> None:
        if self._pins.reach_into(eqn):
            eqn = _jax.with_nested(eqn, lambda jaxpr: _body(jaxpr, self._pins))
        operands = [
            self._operand(eqn, number, cuts.get(number), forms[number])
            for number in range(len(eqn.invars))
        ]
        results = self._computed(eqn, cuts, operands, forms)
        for number, (var, made) in enumerate(zip(eqn.outvars, results, strict=True), len(operands)):
            self._makers[var] = eqn
            self._values[var] = {forms[number]: made}
            if number in cuts and not isinstance(var, DropVar):
                form = form_for(cuts[number], forms[number])
                placed = self._placed(eqn, number, self._read(var, form, eqn), cuts[number], form)
                self._values[var] = {form: placed}
                if folded := self._pins.folded(eqn):
                    self._folded[var] = folded

    def _operand(self, eqn: JaxprEqn, number: int, cuts: Cuts | None, form: Form) -> Atom:
        """An operand in its place, and in the form in which it is computed with."""
        atom = eqn.invars[number]
        if cuts is None:
            return self._read(atom, form, eqn)
        pinned_form = form_for(cuts, form)
        placed = self._placed(eqn, number, self._read(atom, pinned_form, eqn), cuts, pinned_form)
        return placed if pinned_form == form else self._reshaped(placed, _shape(atom, form), eqn)

    def _placed(self, eqn: JaxprEqn, number: int, atom: Atom, cuts: Cuts, form: Form) -> Atom:
        subject = self._pins.subject(eqn, number, _shape(atom, ()))
        return self.constrained(atom, unfolded_cuts(cuts, form), subject, eqn)

    def _computed(
        self,
        eqn: JaxprEqn,
        cuts: Mapping[int, Cuts],
        operands: list[Atom],
        forms: Sequence[Form],
    ) -> Sequence[Atom]:
        mesh = self._pins.mesh
        if axes := axes_by_hand(eqn, cuts, mesh):
            template = _traced(convolution_by_hand(eqn, cuts, mesh, axes), operands)
            return self._append(template, operands, eqn)
        if not any(forms):
            same = all(new is old for new, old in zip(operands, eqn.invars, strict=True))
            self.eqns.append(eqn if same else eqn.replace(invars=operands))
            return eqn.outvars
        compute = RULES[eqn.primitive.name].compute
        template = _traced(lambda *arrays: compute(eqn, forms, arrays), operands)
        return self._append(template, operands, eqn)

    def _read(self, atom: Atom, form: Form, like: JaxprEqn | None) -> Atom:
        """A value of the old jaxpr in a form."""
        if isinstance(atom, Literal):
            return atom
        known = self._values.setdefault(atom, {(): atom})
        if form not in known and like is not None:
            first, value = next(iter(known.items()))
            if atom in self._folded and not form:
                value = self._apart(value, self._folded[atom], first, like)
            known[form] = self._reshaped(value, _shape(atom, form), like)
        return known[form]

    def _apart(self, value: Atom, folded: Cuts, form: Form, like: JaxprEqn) -> Atom:
        """[64,3,64] in columns, that is to be [64,192] in rows: in rows already.

        No cut of [64,192] is one of [64,3,64] in columns, so the partitioner would make the value
        whole on every device. From rows to rows it finds the way.
        """
        subject = Subject(_shape(value, ()), "a value cut inside parts", self._pins.where(like))
        return self.constrained(value, unfolded_cuts(folded, form), subject, like)

    def _reshaped(self, atom: Atom, shape: tuple[int, ...], like: JaxprEqn) -> Atom:
        def reshaped(array: jax.Array) -> Sequence[jax.Array]:
            return [lax.reshape(array, shape)]

        template = _traced(reshaped, [atom])
        return self._append(template, [atom], like)[0]

    def _append(
        self, template: ClosedJaxpr, operands: Sequence[Atom], like: JaxprEqn
    ) -> list[Atom]:
        eqns, results = _jax.instantiate(template, operands, like)
        self.eqns += eqns
        return results


def _shape(atom: Any, form: Form) -> tuple[int, ...]:
    return unfolded_shape(tuple(atom.aval.shape), form)


def _traced(compute: Callable[..., Any], operands: Sequence[Atom]) -> ClosedJaxpr:
    """The equations with which something is computed of such operands."""
    avals: list[Any] = [one.aval for one in operands]
    arrays = (jax.ShapeDtypeStruct(one.shape, one.dtype, weak_type=one.weak_type) for one in avals)
    return jax.make_jaxpr(compute)(*arrays)
