// Rules of the ops that slide a window: convolution, reduce-window, select-and-scatter.
//
// Windows that lie side by side are a reshape and a contraction, and split like one. A convolution
// of f32[8,32,32,3] with f32[16,16,3,64], strides 16 (the patches of a vision transformer):
//   8 pass      64 pass      3 reduced
//   2 pass      input (dim 1, outer 1), result dim 1       16 reduced  input (dim 1, outer 2),
//   kernel dim 0
// Windows that overlap need the neighbour's edge: a halo.
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteConvolution(RuleWriter& rule);
void WriteReduceWindow(RuleWriter& rule);
void WriteSelectAndScatter(RuleWriter& rule);

}  // namespace cfp
