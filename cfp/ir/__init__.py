"""The nouns of cfp: frozen dataclasses that check, print and write themselves, without JAX."""

from cfp.ir.step import ArrayInfo, Equation, StaticArgument, TracedStep

__all__ = ["ArrayInfo", "Equation", "StaticArgument", "TracedStep"]
