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
