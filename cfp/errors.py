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
            cure='name one, as in plan="data:4 x megatron:2", or give a Plan or its .json file; the '
            f"names are {', '.join(names)}",
        )


class NotYetTracedError(CfpError):
    """A step is asked about before it has met arguments."""

    def __init__(self, step: str) -> None:
        super().__init__(
            what=f"step `{step}` has met no arguments, so nothing is known of it",
            where=f"the parallelized step `{step}`",
            cure=f"call it, or {step}.lower(...) with arrays or jax.ShapeDtypeStructs",
        )


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


class NoSuchFormError(CfpError):
    """A plan says something for which a format has no words."""

    def __init__(self, plan: str, form: str, reason: str) -> None:
        super().__init__(
            what=f"plan {plan!r} cannot be written as {form}: {reason}",
            where=f"the export of plan {plan!r}",
            cure="write it in another form, or run it with cfp",
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


class IndivisibleError(CfpError):
    """A dimension cannot be shared equally by as many devices as it is cut for."""

    def __init__(self, name: str, where: str, dim: int, size: int, pieces: int) -> None:
        below, above = size // pieces * pieces, (size // pieces + 1) * pieces
        sizes = f"{below} or {above}" if below else str(above)
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


class UnmatchedStateError(CfpError):
    """What an init function makes is no argument of the step."""

    def __init__(self, step: str, problem: str) -> None:
        super().__init__(
            what=f"what the init function makes is no argument of step `{step}`: {problem}",
            where="the function given to init",
            cure="return a tree that the step takes as one argument, with its shapes and dtypes",
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
