"""Which dumps of which models are kept, and how they are made.

    dumps_of("mlp")    {"01_analyze_hlo.txt": "33 ops: …", "after_ir.txt": …, "strategy_map.txt": …}

Of large models the list of all ops is left out; two layers show what repeats.

They are those of the oldest JAX. A newer one lowers the same step to other elementwise ops, so ops
are numbered and counted otherwise. What does not depend on the JAX, `decided` reads from a dump:

    "3 ops: 1 in blocks, …; 1.57 MFLOP … %24 dot … 13 ops: B5 3, B10.2 3"
        ->  ";", "1.57", "MFLOP", …, "dot", …
"""

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cfp.options import Options
from cfp.pipeline import analyze_step

FOLDER = Path(__file__).parent
JAX_VERSION = "0.10.2"
OVERVIEW = ("01_analyze_hlo.txt", "strategy_map.txt")
EVERYTHING = (*OVERVIEW, "after_ir.txt")
STEPS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "mlp": ("zoo.mlp", {}, EVERYTHING),
    "lora": ("zoo.lora", {}, EVERYTHING),
    "no_contraction": ("zoo.no_contraction", {}, OVERVIEW),
    "gpt": ("gpt", {"num_layer": 2}, OVERVIEW),
    "gpt_scan_remat": ("gpt", {"scan": True, "remat": True}, OVERVIEW),
    "llama2": ("llama2", {"num_layer": 2}, OVERVIEW),
    "moe": ("moe", {"num_layer": 2}, OVERVIEW),
    "t5": ("t5", {"num_layer": 2}, OVERVIEW),
    "gru": ("zoo.gru", {}, OVERVIEW),
}


@cache
def dumps_of(name: str) -> dict[str, str]:
    """The dumps that are kept of one model, by file name; run in the root of the checkout."""
    module, flags, kept = STEPS[name]
    step, args = import_module(f"cfp_test.{module}").train_step(**flags)
    with TemporaryDirectory() as folder:
        analyze_step(step, args, options=Options(dump_dir=folder))
        return {one: (Path(folder) / one).read_text(encoding="utf-8") for one in kept}


def golden_of(name: str) -> dict[str, str]:
    """The dumps of one model as they should be."""
    return {file: (FOLDER / name / file).read_text(encoding="utf-8") for file in STEPS[name][2]}


def decided(dump: str) -> list[str]:
    """The words of a dump without numbers of ops, and without how many do what by which clause."""
    return re.sub(r"\A\d+ ops: [^;]*|%\d+|\d+ ops:(\s+B[\d.]+ \d+,?)+", " ", dump).split()
