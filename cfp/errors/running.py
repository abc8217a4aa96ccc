"""A sharded step that cannot be made or called."""

from cfp.errors.base import CfpError


class DeviceCountError(CfpError):
    """There are not as many devices as the mesh has places."""

    def __init__(self, mesh: str, needed: int, given: int) -> None:
        super().__init__(
            what=f"mesh {mesh} has {needed} places for devices, and {given} devices were given",
            where="the devices given to shard_step",
            cure=f"give {needed} devices or plan for a mesh of {given}; a host shows more with "
            f"XLA_FLAGS=--xla_force_host_platform_device_count={needed}",
        )


class UnfitLayoutError(CfpError):
    """A layout says something that the step or the mesh does not have."""

    def __init__(self, name: str, where: str, problem: str) -> None:
        super().__init__(
            what=f"the layout does not fit {name}: {problem}",
            where=where,
            cure="lay the plan out again for this step and mesh; if it was, that is a bug",
        )


def nearest_multiples(size: int, pieces: int) -> str:
    """`6 or 9` for 8 elements in 3 pieces: the sizes next to it that can be shared equally."""
    below, above = size // pieces * pieces, (size // pieces + 1) * pieces
    return f"{below} or {above}" if below else str(above)


class IndivisibleError(CfpError):
    """A dimension cannot be shared equally by as many devices as it is cut for."""

    def __init__(self, name: str, where: str, dim: int, size: int, pieces: int) -> None:
        sizes = nearest_multiples(size, pieces)
        super().__init__(
            what=f"dimension {dim} of {name} has {size} elements, which {pieces} devices cannot "
            "share equally",
            where=where,
            cure=f"make it {sizes}, the nearest that they can, or plan without this cut",
        )


class OtherArgumentError(CfpError):
    """A sharded step is called with other arguments than it was traced with."""

    def __init__(self, step: str, argument: str, found: str, expected: str) -> None:
        super().__init__(
            what=f"argument {argument} of step `{step}` is {found}, and the step was sharded for "
            f"{expected}",
            where="the call of the sharded step",
            cure="call it as it was traced, positional arguments by position and keywords by name, "
            "or shard the step again for these arguments",
        )


class DonatedArgumentError(CfpError):
    """An argument was donated to an earlier call."""

    def __init__(self, step: str, argument: str) -> None:
        super().__init__(
            what=f"argument {argument} of step `{step}` is gone: it was donated to an earlier call",
            where="the call of the sharded step",
            cure="pass on what that call returned, as in `state, metrics = step(state, batch)`, or "
            "donate nothing",
        )
