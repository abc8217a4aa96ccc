"""Hardware that is not known or does not fit, and measurements that say too little."""

from cfp.errors.base import CfpError


class UnknownHardwareError(CfpError):
    """A name is neither in the tables nor a file."""

    def __init__(self, kind: str, name: str, near: tuple[str, ...]) -> None:
        super().__init__(
            what=f"there is no {kind} {name!r}",
            where=f"the tables of {kind}s",
            cure=f"name one of {', '.join(near)}, or give the path of a hardware file, which "
            "ends in .json",
        )


class UnreadableNetworkError(CfpError):
    """A text describes no network."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(
            what=f"{text!r} describes no network: {problem}",
            where="the network that was asked for",
            cure="write its levels from the inside, each as form:size of links: "
            "switch:8 of 18 nvlink-4, tree:4 of 8 infiniband-ndr; the forms are ring, line, "
            "full, switch, tree, and x joins the dimensions of a grid",
        )


class UnfitNetworkError(CfpError):
    """A mesh cannot be laid on a network."""

    def __init__(self, mesh: str, network: str, problem: str) -> None:
        super().__init__(
            what=f"the mesh {mesh} does not fit network {network}: {problem}",
            where="the mesh laid on the network, its last axis innermost",
            cure="give axes whose sizes divide, or are divided by, those of the network, and no "
            "more devices than it joins",
        )


class UnfitMeasurementsError(CfpError):
    """Measurements from which no hardware can be told."""

    def __init__(self, measurements: int, problem: str) -> None:
        super().__init__(
            what=f"{measurements} measurements do not tell what the hardware does: {problem}",
            where="the measurements given to calibrate",
            cure="measure more kinds of work: products of several sizes, fusions that move much "
            "and little memory, collectives of several sizes",
        )
