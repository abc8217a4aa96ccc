"""Sizes of BERT: CFP's published experiments give it GPT's, letter by letter."""

from cfp_test.gpt.configs import CONFIGS, Config

__all__ = ["CONFIGS", "Config"]
