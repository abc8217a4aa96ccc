"""A plan that cannot be had, read, applied or exported."""

from cfp.errors.base import CfpError


class TooManyChoicesError(CfpError):
    """A block has more ways to use the axes of a mesh than can be enumerated."""

    def __init__(self, block: int, choices: int, most: int, mesh: str) -> None:
        super().__init__(
            what=f"block {block} has {choices} ways to use the axes of a mesh, and at most {most} "
            "are enumerated",
            where=f"enumerate_strategies on {mesh}",
            cure="give a mesh of fewer, larger axes: a:16 x b:16 instead of eight axes of 2",
        )


class UnreadableBaselineError(CfpError):
    """A text names no baseline."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(
            what=f"{text!r} names no baseline: {problem}",
            where="the name of the plan",
            cure="join parts by ` x `, each kind once and with its degree if you like, and end "
            "with `+ fsdp` or `+ zero1` to store the state in parts: data:4 x megatron:2 + fsdp; "
            "the kinds are replicated, data, fsdp, zero1, megatron (or tensor), sequence, expert",
        )


class UnfitDegreesError(CfpError):
    """The degrees of a baseline do not make up the devices."""

    def __init__(self, name: str, product: int, place: str) -> None:
        super().__init__(
            what=f"the degrees of baseline {name!r} make {product}, which does not fill {place}",
            where="the degrees in the name of the plan",
            cure="give degrees whose product is the number of devices, on a mesh such that each is "
            "the product of its next axes; or leave some out, which then share what is left",
        )


class UnfitBaselineError(CfpError):
    """A baseline would split nothing of the step."""

    def __init__(self, name: str, part: str, step: str, because: str) -> None:
        super().__init__(
            what=f"baseline {name!r} does not fit step `{step}`: {because}",
            where=f"its part {part}",
            cure="take a degree that divides one of these numbers, if any is named, or another "
            "baseline; cfp.baselines lists those that fit",
        )
        self.because = because


class UnknownPlanSchemaError(CfpError):
    """A plan is written in a form that this cfp does not know."""

    def __init__(self, found: str, known: int) -> None:
        super().__init__(
            what=f"the plan is written in schema {found}, and this cfp reads schema {known}",
            where="Plan.schema",
            cure="read it with the version of cfp that wrote it, or make the plan anew",
        )


class ChangedPlanError(CfpError):
    """The text of a plan is not what was saved."""

    def __init__(self, recorded: str, found: str) -> None:
        super().__init__(
            what=f"the plan was changed after it was saved: its content has the hash {found[:12]}, "
            f"and {recorded[:12]} is recorded",
            where="Plan.sha256",
            cure="give the file as it was saved; to change a plan, load it, make another with "
            "dataclasses.replace, and save that",
        )


class PlanFileError(CfpError):
    """The file of a plan cannot be read or written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            what=f"the file {path} cannot be opened: {problem}",
            where="Plan.load or Plan.save",
            cure="give a path that you may open, in a folder that exists",
        )


class PlanForOtherMeshError(CfpError):
    """A plan was made for another mesh."""

    def __init__(
        self, plan: str, planned: str, planned_devices: int, given: str, given_devices: int
    ) -> None:
        super().__init__(
            what=f"plan {plan!r} is for the mesh {planned}, {planned_devices} devices, and this is "
            f"{given}, {given_devices} devices",
            where=f"the mesh on which plan {plan!r} is to run",
            cure=f"give the mesh {planned}, or make a plan for {given}",
        )


class PlanForOtherArgumentsError(CfpError):
    """A plan was made for a step that takes other arguments."""

    def __init__(self, plan: str, step: str, differences: tuple[str, ...]) -> None:
        shown = differences if len(differences) <= 6 else differences[:5]
        more = len(differences) - len(shown)
        told = "".join(f"\n           {one}" for one in shown)
        super().__init__(
            what=f"plan {plan!r} is for step `{step}` with other arguments:{told}"
            + (f"\n           and {more} more" if more else ""),
            where="the arguments of the step",
            cure="give arguments of these shapes and types, or make a plan for this step",
        )


class PlanForOtherStepError(CfpError):
    """A plan was made for another step, though it takes the same arguments."""

    def __init__(self, plan: str, step: str, planned_jax: str, jax: str) -> None:
        versions = "" if planned_jax == jax else f", by jax {jax} and not {planned_jax},"
        super().__init__(
            what=f"plan {plan!r} is for step `{step}` as it was: what it computes{versions} is now "
            "cut into other blocks",
            where="the fingerprint of the step",
            cure="make a plan for the step as it is, or take back the change to the model",
        )


class NoPlanError(CfpError):
    """A step should be sharded, and nothing says how."""

    def __init__(self, step: str, names: tuple[str, ...]) -> None:
        super().__init__(
            what=f"step `{step}` is given no plan, and none is searched for",
            where="the plan given to parallelize",
            cure='name one, as in plan="data:4 x megatron:2", or give a Plan or its .json file; '
            f"the names are {', '.join(names)}",
        )


class NotYetTracedError(CfpError):
    """A step is asked about before it has met arguments."""

    def __init__(self, step: str) -> None:
        super().__init__(
            what=f"step `{step}` has met no arguments, so nothing is known of it",
            where=f"the parallelized step `{step}`",
            cure=f"call it, or {step}.lower(...) with arrays or jax.ShapeDtypeStructs",
        )


class NoSuchFormError(CfpError):
    """A plan says something for which a format has no words."""

    def __init__(self, plan: str, form: str, reason: str) -> None:
        super().__init__(
            what=f"plan {plan!r} cannot be written as {form}: {reason}",
            where=f"the export of plan {plan!r}",
            cure="write it in another form, or run it with cfp",
        )
