"""Every way in which cfp can fail, one class each, with the whole text of its message.

A message says what happened, where, and what to do about it:

    the compiled core of cfp is missing
      where: cfp/_native.py importing cfp._cfp_core: No module named 'cfp._cfp_core'
      cure:  build it with `sh cfp_test/scripts/setup_env.sh` or `pip install .`

Callers raise with the facts of the case alone (`raise MissingCoreError(cause)`), so the wording
lives here, and each text has its golden in cfp_test/pure/test_errors.py.
"""


class CfpError(Exception):
    """Something cfp cannot do: `what` happened, `where`, and the `cure`."""

    def __init__(self, what: str, where: str, cure: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  cure:  {cure}")
        self.what = what
        self.where = where
        self.cure = cure


class MissingCoreError(CfpError):
    """The extension module that holds the C++ passes cannot be imported."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            what="the compiled core of cfp is missing",
            where=f"cfp/_native.py importing cfp._cfp_core: {cause}",
            cure="build it with `sh cfp_test/scripts/setup_env.sh` or `pip install .`",
        )


class OutdatedCoreError(CfpError):
    """The extension module was built from another version of the sources."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            what=f"the compiled core of cfp is version {found}, and this cfp needs {expected}",
            where="cfp/_native.py importing cfp._cfp_core",
            cure="build it again with `sh cfp_test/scripts/setup_env.sh` or `pip install .`",
        )


class InconsistentError(CfpError):
    """A value contradicts itself; its `verify` found it."""

    def __init__(self, kind: str, name: str, fact: str) -> None:
        super().__init__(
            what=f"the {kind} contradicts itself: {fact}",
            where=f"{kind}.verify of {name!r}",
            cure="make it again with the pass it comes from; if the pass made it, that is a bug",
        )


class UnreadableJsonError(CfpError):
    """A JSON text is not what cfp writes."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            what=f"the JSON cannot be read: {problem}",
            where=place,
            cure="give the file that `to_json` wrote, from the same version of cfp",
        )


class UnreadableFileError(CfpError):
    """A file that should be read or written cannot be."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            what=f"the file {path} cannot be opened: {problem}",
            where="the files named on the command line",
            cure="give a path that exists and that you may open; a step that is no file is named "
            "package.module:function",
        )


class UnreadableHloError(CfpError):
    """Bytes that should be HLO are not."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            what=f"the HLO cannot be read: {problem}",
            where=place,
            cure="give a serialised HloModuleProto: jax.jit(step).lower(*args).compiler_ir('hlo')"
            ".as_serialized_hlo_module_proto()",
        )


class UnreadableMeshError(CfpError):
    """A text that should describe a mesh does not."""

    def __init__(self, text: str) -> None:
        super().__init__(
            what=f"{text!r} describes no mesh",
            where="the mesh that was asked for",
            cure="write its axes and their sizes, the major one first: data:4 x model:2",
        )


class NonArrayArgumentError(CfpError):
    """An argument that should be traced is not an array."""

    def __init__(self, step: str, argument: str, kind: str) -> None:
        super().__init__(
            what=f"argument {argument} of step `{step}` is of type {kind}, not an array",
            where="the arguments given to trace_step",
            cure="give an array or a jax.ShapeDtypeStruct, or name it in static_argnames",
        )


class WrongArgumentsError(CfpError):
    """The step does not take these arguments."""

    def __init__(self, step: str, signature: str, problem: str) -> None:
        super().__init__(
            what=f"step `{step}` cannot be called with these arguments: {problem}",
            where="the arguments given to trace_step",
            cure=f"give args and kwargs as the step takes them: {step}{signature}",
        )


class ValueNeededError(CfpError):
    """The step asks for the value of an array, which has none while it is traced."""

    def __init__(self, step: str, cause: str, where: str) -> None:
        super().__init__(
            what=f"step `{step}` depends in Python on the value of an array: {cause}",
            where=where,
            cure="decide with jnp.where or jax.lax.cond, or name the argument in static_argnames",
        )


class LeakedTracerError(CfpError):
    """The step uses an array that another traced function left behind."""

    def __init__(self, step: str, cause: str, where: str) -> None:
        super().__init__(
            what=f"step `{step}` uses an array left behind by another traced function: {cause}",
            where=where,
            cure="return that array and pass it on; keep none in globals or objects",
        )


class SideEffectError(CfpError):
    """The step does something that is not in its results."""

    def __init__(self, step: str, primitive: str, effect: str, where: str) -> None:
        super().__init__(
            what=f"step `{step}` does more than compute its results: {primitive} has a {effect}",
            where=where,
            cure="return what it prints or sends as one more result, and do that outside the step",
        )


class StepRaisedError(CfpError):
    """The step itself raises."""

    def __init__(self, step: str, cause: str, where: str) -> None:
        super().__init__(
            what=f"step `{step}` raises {cause}",
            where=where,
            cure=f"jax.eval_shape({step}, ...) raises it without cfp; mend the step there",
        )


class NotLowerableError(CfpError):
    """JAX traces the step but has no HLO for it."""

    def __init__(self, step: str, cause: str, where: str) -> None:
        super().__init__(
            what=f"step `{step}` was traced but has no HLO: {cause}",
            where=where,
            cure=f"jax.jit({step}).lower(...) fails without cfp; lower on a platform that has it",
        )


class LostUpdateError(CfpError):
    """The step changes an argument in place, and jit would drop the change."""

    def __init__(self, step: str, argument: str) -> None:
        super().__init__(
            what=f"step `{step}` changes {argument} in place and does not return it, so a jitted "
            "step would drop the change",
            where="the arguments given to trace_step",
            cure="pass the state (nnx.split), rebuild the object inside (nnx.merge), and return "
            "its new state (nnx.state)",
        )


class FactoryNotFoundError(CfpError):
    """A specification does not lead to a step factory."""

    def __init__(self, specification: str, problem: str) -> None:
        super().__init__(
            what=f"no step factory at {specification!r}: {problem}",
            where="the name of the step factory",
            cure="write package.module:function or path/to/file.py:function",
        )


class UnsuitableFactoryError(CfpError):
    """A factory has a parameter that no flag can set."""

    def __init__(self, factory: str, parameter: str, problem: str) -> None:
        super().__init__(
            what=f"parameter {parameter} of step factory `{factory}` cannot be a flag: {problem}",
            where=f"the signature of {factory}",
            cure="give every parameter a default of type int, float, str or bool",
        )


class UnknownFlagError(CfpError):
    """A word on the command line is no flag of the factory."""

    def __init__(self, factory: str, word: str, closest: str, known: str) -> None:
        suggestion = f"did you mean {closest}? " if closest else ""
        super().__init__(
            what=f"{word!r} is no flag of step factory `{factory}`",
            where="the flags of the step factory",
            cure=f"{suggestion}the flags are:{known}",
        )


class FlagValueError(CfpError):
    """The value of a flag is missing or of another type."""

    def __init__(self, factory: str, flag: str, expected: str, found: str) -> None:
        super().__init__(
            what=f"{flag} of step factory `{factory}` takes a value of type {expected}, not "
            f"{found}",
            where="the flags of the step factory",
            cure=f"write {flag} <{expected}>",
        )


class FactoryResultError(CfpError):
    """A factory returns something other than a step and its arguments."""

    def __init__(self, factory: str, found: str) -> None:
        super().__init__(
            what=f"step factory `{factory}` returned {found}",
            where=f"the return value of {factory}",
            cure="return (step, args) or (step, args, kwargs): a callable, a tuple of arrays or "
            "jax.ShapeDtypeStructs, and a dict",
        )
