"""A step factory that the command line cannot use."""

from cfp.errors.base import CfpError


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
