"""A step that cannot be traced."""

from cfp.errors.base import CfpError


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
