"""analyze_hlo: the HLO of a step to its ParallelBlocks, their strategies and their segments.

The core does the work. Here every op is led back to the user: the last tag of its op_name names the
equation it was lowered from, and the equation knows the line. Parameters lead to arguments.

    op_name  jit(step)/jvp(GPT)/layer_0/query/cfp:412/dot_general     arrays[7]
    source   equation 412, model.py:57 in Layer.attend                state.params['wte']

Where there is no tag (helpers that several equations share, HLO that JAX did not make) the op keeps
the file and line that the HLO itself records.
"""

import re
from dataclasses import replace
from functools import cache

from cfp._native import read_analysis
from cfp.ir.analysis import Analysis
from cfp.ir.op import Source
from cfp.ir.step import Equation, TracedStep

_TAG = re.compile(r"cfp:(\d+(?:/\d+)*)(?=[/)]|$)")
_ARGUMENT = re.compile(r"arrays\[(\d+)\]$")


def analyze_hlo(step: TracedStep) -> Analysis:
    """The analysis of a traced step."""
    by_path = {one.path: _source_of(one) for one in step.equations}
    recorded = cache(Source)

    def locate(op_name: str, file: str, line: int) -> Source:
        if tags := _TAG.findall(op_name):
            return by_path.get(tags[-1], recorded(file, line))
        if number := _ARGUMENT.match(op_name):
            return Source(argument=step.arguments[int(number[1])].name)
        return recorded(file, line)

    names = tuple(one.name for one in step.arguments)
    return replace(read_analysis(step.hlo, step.name, locate), arguments=names)


def analyze_module(hlo: bytes, name: str = "module") -> Analysis:
    """The analysis of a serialised HloModuleProto, whoever made it."""
    recorded = cache(Source)
    return read_analysis(hlo, name, lambda _, file, line: recorded(file, line))


def _source_of(equation: Equation) -> Source:
    return Source(
        equation.source_file, equation.source_line, equation.source_function, equation.path
    )
