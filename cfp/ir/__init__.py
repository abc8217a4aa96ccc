"""The nouns of cfp: frozen dataclasses that check, print and write themselves, without JAX."""

from cfp.ir.analysis import Analysis, Timing
from cfp.ir.block import Block, Collective, Cut, Segment, Strategy
from cfp.ir.mesh import Mesh
from cfp.ir.op import Contraction, Op, Region, Source
from cfp.ir.plan import Plan
from cfp.ir.space import StrategySpace
from cfp.ir.step import ArrayInfo, Equation, StaticArgument, TracedStep

__all__ = [
    "Analysis",
    "ArrayInfo",
    "Block",
    "Collective",
    "Contraction",
    "Cut",
    "Equation",
    "Mesh",
    "Op",
    "Plan",
    "Region",
    "Segment",
    "Source",
    "StaticArgument",
    "Strategy",
    "StrategySpace",
    "Timing",
    "TracedStep",
]
