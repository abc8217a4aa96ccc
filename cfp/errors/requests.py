"""What a user asks `cfp.parallelize` for and cannot have."""

from cfp.errors.base import CfpError


class ExplicitMeshError(CfpError):
    """The axes of a mesh are not left to the compiler."""

    def __init__(self, axes: tuple[str, ...], kind: str) -> None:
        listed = ", ".join(axes)
        super().__init__(
            what=f"the mesh has {kind} axes, {listed}: types and not the plan would say how arrays "
            "lie",
            where="the mesh given to parallelize",
            cure="make it with axes that are Auto: jax.make_mesh(sizes, names, "
            "axis_types=(jax.sharding.AxisType.Auto,) * len(names))",
        )


class TwoDeviceListsError(CfpError):
    """A mesh has devices of its own, and others are given beside it."""

    def __init__(self, in_mesh: str, given: str) -> None:
        super().__init__(
            what=f"the mesh is made of {in_mesh}, and {given} are given as devices",
            where="mesh and devices given to parallelize",
            cure="leave out devices, or write the mesh as text: data:4 x model:2",
        )


class UnhashableStaticError(CfpError):
    """A static argument cannot be told from another value of it."""

    def __init__(self, step: str, argument: str, kind: str) -> None:
        super().__init__(
            what=f"static argument {argument} of step `{step}` is of type {kind}, which has no "
            "hash: a later value could not be told from this one",
            where="the call of the parallelized step",
            cure="give a tuple for a list, a frozen dataclass for a dict, or an array that is not "
            "static",
        )


class UnknownArgumentError(CfpError):
    """A pattern matches no argument of the step."""

    def __init__(self, step: str, pattern: str, closest: tuple[str, ...], where: str) -> None:
        super().__init__(
            what=f"step `{step}` has no argument {pattern}",
            where=where,
            cure=f"write a whole name, its beginning, or * for any text; close to it are "
            f"{', '.join(closest)}",
        )


class UnreadablePinError(CfpError):
    """A pin does not say how an argument lies."""

    def __init__(self, pattern: str, found: str, problem: str) -> None:
        super().__init__(
            what=f"the pin of {pattern}, {found}, says nothing: {problem}",
            where="the pins given to parallelize",
            cure='give "replicated" or a PartitionSpec with axes of the mesh: P(None, "model")',
        )


class ContradictingPinsError(CfpError):
    """Two pins want one argument in two places."""

    def __init__(self, argument: str, one: str, other: str) -> None:
        super().__init__(
            what=f"two pins contradict each other about {argument}: {one}, and {other}",
            where="the pins given to parallelize",
            cure="leave out one of them, or write patterns that have no argument in common",
        )


class BrokenPinError(CfpError):
    """The plan lays an argument otherwise than a pin wants it."""

    def __init__(self, argument: str, pin: str, plan: str, planned: str) -> None:
        super().__init__(
            what=f"plan {plan!r} contradicts the pin {pin}: there {argument} is {planned}",
            where="the pins given to parallelize",
            cure="name a plan that agrees, or leave out the pin",
        )


class MemoryLimitError(CfpError):
    """A plan needs more memory than a device has."""

    def __init__(self, plan: str, peak: str, limit: str, parts: str) -> None:
        super().__init__(
            what=f"plan {plan!r} needs more than {limit} on each device: {parts}; {peak}",
            where="memory_bytes given to parallelize",
            cure="name a plan that stores less on each device, such as fsdp, donate the state "
            "(donate_argnums), or make the batch smaller",
        )
