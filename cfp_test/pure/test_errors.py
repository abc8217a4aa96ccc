"""Every error text, word for word: users read them, so other words are another behaviour."""

import pytest

from cfp import errors

LINE_7 = "train.py:7 in loss"
TEXTS = {
    errors.MissingCoreError("No module named 'cfp._cfp_core'"): """\
the compiled core of cfp is missing
  where: cfp/_native.py importing cfp._cfp_core: No module named 'cfp._cfp_core'
  cure:  build it with `sh cfp_test/scripts/setup_env.sh` or `pip install .`""",
    errors.OutdatedCoreError("0.1.0", "0.2.0"): """\
the compiled core of cfp is version 0.1.0, and this cfp needs 0.2.0
  where: cfp/_native.py importing cfp._cfp_core
  cure:  build it again with `sh cfp_test/scripts/setup_env.sh` or `pip install .`""",
    errors.InconsistentError("TracedStep", "gpt", "2 inputs for 3 arguments"): """\
the TracedStep contradicts itself: 2 inputs for 3 arguments
  where: TracedStep.verify of 'gpt'
  cure:  make it again with the pass it comes from; if the pass made it, that is a bug""",
    errors.UnreadableJsonError("step.json, at .equations[3]", "no field `path`"): """\
the JSON cannot be read: no field `path`
  where: step.json, at .equations[3]
  cure:  give the file that `to_json` wrote, from the same version of cfp""",
    errors.UnreadableFileError("step.pb", "No such file or directory"): """\
the file step.pb cannot be opened: No such file or directory
  where: the files named on the command line
  cure:  give a path that exists and that you may open; a step that is no file is named \
package.module:function""",
    errors.UnreadableHloError("step.pb", "HLO proto: a module without computations"): """\
the HLO cannot be read: HLO proto: a module without computations
  where: step.pb
  cure:  give a serialised HloModuleProto: jax.jit(step).lower(*args).compiler_ir('hlo')\
.as_serialized_hlo_module_proto()""",
    errors.CacheFileError("~/.cache/cfp/f0", "written", "Read-only file system"): """\
~/.cache/cfp/f0 cannot be written: Read-only file system
  where: the folder in which costs are recorded
  cure:  make room there and let yourself write, or name another folder: CFP_CACHE_DIR=folder""",
    errors.DamagedCostError("f0/f00d.json", "it is cut short"): """\
the recorded cost in f0/f00d.json is damaged: it is cut short
  where: the folder in which costs are recorded
  cure:  it is ignored, and replaced when that cost is found anew; `cfp cache gc` removes it""",
    errors.ForeignCostError("f0/f00d.json", "2", 1): """\
the recorded cost in f0/f00d.json has schema 2, and this cfp reads schema 1
  where: the folder in which costs are recorded
  cure:  it is ignored; read it with the version of cfp that wrote it, or remove it by \
`cfp cache gc --other_versions`""",
    errors.UnknownPlanSchemaError("9", 1): """\
the plan is written in schema 9, and this cfp reads schema 1
  where: Plan.schema
  cure:  read it with the version of cfp that wrote it, or make the plan anew""",
    errors.ChangedPlanError("5c1f" * 16, "77aa" * 16): """\
the plan was changed after it was saved: its content has the hash 77aa77aa77aa, and 5c1f5c1f5c1f \
is recorded
  where: Plan.sha256
  cure:  give the file as it was saved; to change a plan, load it, make another with \
dataclasses.replace, and save that""",
    errors.PlanFileError("plan.json", "Permission denied"): """\
the file plan.json cannot be opened: Permission denied
  where: Plan.load or Plan.save
  cure:  give a path that you may open, in a folder that exists""",
    errors.PlanForOtherMeshError("zero1", "data:4 x model:2", 8, "data:4", 4): """\
plan 'zero1' is for the mesh data:4 x model:2, 8 devices, and this is data:4, 4 devices
  where: the mesh on which plan 'zero1' is to run
  cure:  give the mesh data:4 x model:2, or make a plan for data:4""",
    errors.PlanForOtherArgumentsError("zero1", "train", ("x is missing", "y is new")): """\
plan 'zero1' is for step `train` with other arguments:
           x is missing
           y is new
  where: the arguments of the step
  cure:  give arguments of these shapes and types, or make a plan for this step""",
    errors.PlanForOtherStepError("zero1", "train", "0.10.2", "0.12.0.1"): """\
plan 'zero1' is for step `train` as it was: what it computes, by jax 0.12.0.1 and not 0.10.2, is \
now cut into other blocks
  where: the fingerprint of the step
  cure:  make a plan for the step as it is, or take back the change to the model""",
    errors.NoSuchFormError("zero1", "logical axis rules", "mu['w'] lies otherwise than w"): """\
plan 'zero1' cannot be written as logical axis rules: mu['w'] lies otherwise than w
  where: the export of plan 'zero1'
  cure:  write it in another form, or run it with cfp""",
    errors.NoPlanError("step", ("replicated", "data")): """\
step `step` is given no plan, and none is searched for
  where: the plan given to parallelize
  cure:  name one, as in plan="data:4 x megatron:2", or give a Plan or its .json file; the names \
are replicated, data""",
    errors.NotYetTracedError("step"): """\
step `step` has met no arguments, so nothing is known of it
  where: the parallelized step `step`
  cure:  call it, or step.lower(...) with arrays or jax.ShapeDtypeStructs""",
    errors.ExplicitMeshError(("data", "model"), "Explicit"): """\
the mesh has Explicit axes, data, model: types and not the plan would say how arrays lie
  where: the mesh given to parallelize
  cure:  make it with axes that are Auto: jax.make_mesh(sizes, names, \
axis_types=(jax.sharding.AxisType.Auto,) * len(names))""",
    errors.TwoDeviceListsError("cpu devices 0, 1", "cpu devices 2, 3"): """\
the mesh is made of cpu devices 0, 1, and cpu devices 2, 3 are given as devices
  where: mesh and devices given to parallelize
  cure:  leave out devices, or write the mesh as text: data:4 x model:2""",
    errors.UnhashableStaticError("step", "sizes", "list"): """\
static argument sizes of step `step` is of type list, which has no hash: a later value could \
not be told from this one
  where: the call of the parallelized step
  cure:  give a tuple for a list, a frozen dataclass for a dict, or an array that is not static""",
    errors.UnknownArgumentError(
        "step", "state.wte", ("state.params['wte']",), "the pins given to parallelize"
    ): """\
step `step` has no argument state.wte
  where: the pins given to parallelize
  cure:  write a whole name, its beginning, or * for any text; close to it are \
state.params['wte']""",
    errors.UnreadablePinError("batch", "'data'", "it is another word"): """\
the pin of batch, 'data', says nothing: it is another word
  where: the pins given to parallelize
  cure:  give "replicated" or a PartitionSpec with axes of the mesh: P(None, "model")""",
    errors.ContradictingPinsError("batch['x']", "batch: dim 0 by data", "*['x']: whole"): """\
two pins contradict each other about batch['x']: batch: dim 0 by data, and *['x']: whole
  where: the pins given to parallelize
  cure:  leave out one of them, or write patterns that have no argument in common""",
    errors.BrokenPinError("batch['x']", "batch: dim 0 by data", "replicated", "whole"): """\
plan 'replicated' contradicts the pin batch: dim 0 by data: there batch['x'] is whole
  where: the pins given to parallelize
  cure:  name a plan that agrees, or leave out the pin""",
    errors.MemoryLimitError(
        "data",
        "peak 9.00 MiB",
        "8.00 MiB",
        "arguments 1.00 MiB, results 1.00 MiB, aliased 0 B, temporaries 7.00 MiB",
    ): """\
plan 'data' needs more than 8.00 MiB on each device: arguments 1.00 MiB, results 1.00 MiB, \
aliased 0 B, temporaries 7.00 MiB; peak 9.00 MiB
  where: memory_bytes given to parallelize
  cure:  name a plan that stores less on each device, such as fsdp, donate the state \
(donate_argnums), or make the batch smaller""",
    errors.NonArrayArgumentError("step", "batch['name']", "str"): """\
argument batch['name'] of step `step` is of type str, not an array
  where: the arguments given to trace_step
  cure:  give an array or a jax.ShapeDtypeStruct, or name it in static_argnames""",
    errors.WrongArgumentsError("step", "(state, batch)", "missing 'batch'"): """\
step `step` cannot be called with these arguments: missing 'batch'
  where: the arguments given to trace_step
  cure:  give args and kwargs as the step takes them: step(state, batch)""",
    errors.ValueNeededError("step", "bool(float32[])", LINE_7): """\
step `step` depends in Python on the value of an array: bool(float32[])
  where: train.py:7 in loss
  cure:  decide with jnp.where or jax.lax.cond, or name the argument in static_argnames""",
    errors.LeakedTracerError("step", "float32[8]", LINE_7): """\
step `step` uses an array left behind by another traced function: float32[8]
  where: train.py:7 in loss
  cure:  return that array and pass it on; keep none in globals or objects""",
    errors.SideEffectError("step", "debug_print", "DebugEffect", LINE_7): """\
step `step` does more than compute its results: debug_print has a DebugEffect
  where: train.py:7 in loss
  cure:  return what it prints or sends as one more result, and do that outside the step""",
    errors.StepRaisedError("step", "ZeroDivisionError: division by zero", LINE_7): """\
step `step` raises ZeroDivisionError: division by zero
  where: train.py:7 in loss
  cure:  jax.eval_shape(step, ...) raises it without cfp; mend the step there""",
    errors.UnreadableMeshError("data 4"): """\
'data 4' describes no mesh
  where: the mesh that was asked for
  cure:  write its axes and their sizes, the major one first: data:4 x model:2""",
    errors.TooManyChoicesError(2, 40353607, 1048576, "a:2 x b:2 x c:2 x d:2"): """\
block 2 has 40353607 ways to use the axes of a mesh, and at most 1048576 are enumerated
  where: enumerate_strategies on a:2 x b:2 x c:2 x d:2
  cure:  give a mesh of fewer, larger axes: a:16 x b:16 instead of eight axes of 2""",
    errors.UnreadableBaselineError(
        "data and more", "'data and more' is no kind with a degree"
    ): """\
'data and more' names no baseline: 'data and more' is no kind with a degree
  where: the name of the plan
  cure:  join parts by ` x `, each kind once and with its degree if you like, and end with \
`+ fsdp` or `+ zero1` to store the state in parts: data:4 x megatron:2 + fsdp; the kinds are \
replicated, data, fsdp, zero1, megatron (or tensor), sequence, expert""",
    errors.UnfitDegreesError("data:3 x megatron", 3, "8 devices"): """\
the degrees of baseline 'data:3 x megatron' make 3, which does not fill 8 devices
  where: the degrees in the name of the plan
  cure:  give degrees whose product is the number of devices, on a mesh such that each is the \
product of its next axes; or leave some out, which then share what is left""",
    errors.UnfitBaselineError("data:3", "data:3", "step", "the batch goes into 8 pieces"): """\
baseline 'data:3' does not fit step `step`: the batch goes into 8 pieces
  where: its part data:3
  cure:  take a degree that divides one of these numbers, if any is named, or another baseline; \
cfp.baselines lists those that fit""",
    errors.NotLowerableError("step", "no rule for `mine` on cpu", LINE_7): """\
step `step` was traced but has no HLO: no rule for `mine` on cpu
  where: train.py:7 in loss
  cure:  jax.jit(step).lower(...) fails without cfp; lower on a platform that has it""",
    errors.LostUpdateError("step", "net.a.kernel"): """\
step `step` changes net.a.kernel in place and does not return it, so a jitted step would drop the \
change
  where: the arguments given to trace_step
  cure:  pass the state (nnx.split), rebuild the object inside (nnx.merge), and return its new \
state (nnx.state)""",
    errors.DeviceCountError("data:4 x model:2", 8, 4): """\
mesh data:4 x model:2 has 8 places for devices, and 4 devices were given
  where: the devices given to shard_step
  cure:  give 8 devices or plan for a mesh of 4; a host shows more with \
XLA_FLAGS=--xla_force_host_platform_device_count=8""",
    errors.UnfitLayoutError(
        "operand 1 of equation 3/0",
        f"dot_general at {LINE_7}",
        "its dimension 2 is cut, and it has 2",
    ): """\
the layout does not fit operand 1 of equation 3/0: its dimension 2 is cut, and it has 2
  where: dot_general at train.py:7 in loss
  cure:  lay the plan out again for this step and mesh; if it was, that is a bug""",
    errors.IndivisibleError("argument state['w']", "the arguments of step `step`", 1, 10, 4): """\
dimension 1 of argument state['w'] has 10 elements, which 4 devices cannot share equally
  where: the arguments of step `step`
  cure:  make it 8 or 12, the nearest that they can, or plan without this cut""",
    errors.OtherArgumentError("step", "batch['x']", "missing", "float32[8,4]"): """\
argument batch['x'] of step `step` is missing, and the step was sharded for float32[8,4]
  where: the call of the sharded step
  cure:  call it as it was traced, positional arguments by position and keywords by name, or shard \
the step again for these arguments""",
    errors.DonatedArgumentError("step", "state['w']"): """\
argument state['w'] of step `step` is gone: it was donated to an earlier call
  where: the call of the sharded step
  cure:  pass on what that call returned, as in `state, metrics = step(state, batch)`, or donate \
nothing""",
    errors.UnknownHardwareError("device", "h10", ("h100-sxm", "a10")): """\
there is no device 'h10'
  where: the tables of devices
  cure:  name one of h100-sxm, a10, or give the path of a hardware file, which ends in .json""",
    errors.UnreadableNetworkError("star:8 of nvlink-4", "'star' is no form"): """\
'star:8 of nvlink-4' describes no network: 'star' is no form
  where: the network that was asked for
  cure:  write its levels from the inside, each as form:size of links: switch:8 of 18 nvlink-4, \
tree:4 of 8 infiniband-ndr; the forms are ring, line, full, switch, tree, and x joins the \
dimensions of a grid""",
    errors.UnfitNetworkError("data:3", "switch:8 of nvlink-4", "axis data has 3 left"): """\
the mesh data:3 does not fit network switch:8 of nvlink-4: axis data has 3 left
  where: the mesh laid on the network, its last axis innermost
  cure:  give axes whose sizes divide, or are divided by, those of the network, and no more \
devices than it joins""",
    errors.UnfitMeasurementsError(3, "they cannot tell apart launch and memory"): """\
3 measurements do not tell what the hardware does: they cannot tell apart launch and memory
  where: the measurements given to calibrate
  cure:  measure more kinds of work: products of several sizes, fusions that move much and little \
memory, collectives of several sizes""",
    errors.FactoryNotFoundError("models.gpt", "there is no `:` between module and function"): """\
no step factory at 'models.gpt': there is no `:` between module and function
  where: the name of the step factory
  cure:  write package.module:function or path/to/file.py:function""",
    errors.UnsuitableFactoryError("gpt", "layers", "it has no default"): """\
parameter layers of step factory `gpt` cannot be a flag: it has no default
  where: the signature of gpt
  cure:  give every parameter a default of type int, float, str or bool""",
    errors.UnknownFlagError("gpt", "--layer", "--layers", "\n    --layers int (default 4)"): """\
'--layer' is no flag of step factory `gpt`
  where: the flags of the step factory
  cure:  did you mean --layers? the flags are:
    --layers int (default 4)""",
    errors.FlagValueError("gpt", "--layers", "int", "'four'"): """\
--layers of step factory `gpt` takes a value of type int, not 'four'
  where: the flags of the step factory
  cure:  write --layers <int>""",
    errors.FactoryResultError("gpt", "(function, list)"): """\
step factory `gpt` returned (function, list)
  where: the return value of gpt
  cure:  return (step, args) or (step, args, kwargs): a callable, a tuple of arrays or \
jax.ShapeDtypeStructs, and a dict""",
}


@pytest.mark.parametrize(
    ("error", "text"), TEXTS.items(), ids=[type(error).__name__ for error in TEXTS]
)
def test_error_reads(error: errors.CfpError, text: str) -> None:
    assert str(error) == text
    assert all((error.what, error.where, error.cure))


def test_every_error_class_has_its_text_here() -> None:
    classes = {one for one in vars(errors).values() if isinstance(one, type)} - {errors.CfpError}
    assert {type(error) for error in TEXTS} == classes
