"""The nouns of cfp: frozen dataclasses that check, print and write themselves, without JAX."""

from cfp.ir.analysis import Analysis, Timing
from cfp.ir.block import Block, Collective, Cut, Segment, Strategy
from cfp.ir.op import Contraction, Op, Region, Source
from cfp.ir.step import ArrayInfo, Equation, StaticArgument, TracedStep

__all__ = [
    "Analysis",
    "ArrayInfo",
    "Block",
    "Collective",
    "Contraction",
    "Cut",
    "Equation",
    "Op",
    "Region",
    "Segment",
    "Source",
    "StaticArgument",
    "Strategy",
    "Timing",
    "TracedStep",
]
