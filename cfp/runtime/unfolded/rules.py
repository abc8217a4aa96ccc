"""The rule of every primitive that has one. An equation of another reads values as they are."""

from cfp.runtime.unfolded.keeping import ELEMENTWISE, PRODUCT, REDUCE, RESHAPE, TRANSPOSE
from cfp.runtime.unfolded.parting import CONCATENATE, PAD, SLICE, SPLIT

_ELEMENTWISE = """
abs add add_any and ceil convert_element_type copy cos div eq erf exp exp2 expm1 floor ge gt
integer_pow is_finite le log log1p logistic lt max min mul ne neg not or pow reduce_precision rem
round rsqrt select_n sign sin sqrt square stop_gradient sub tan tanh xor
"""

RULES = {
    **dict.fromkeys(_ELEMENTWISE.split(), ELEMENTWISE),
    **dict.fromkeys(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod"), REDUCE),
    **dict.fromkeys(("reshape", "squeeze"), RESHAPE),
    "concatenate": CONCATENATE,
    "dot_general": PRODUCT,
    "pad": PAD,
    "slice": SLICE,
    "split": SPLIT,
    "transpose": TRANSPOSE,
}
