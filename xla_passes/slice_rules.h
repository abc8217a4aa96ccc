// Rules of the ops that cut arrays and put them together: slice, pad, concatenate, dynamic-slice,
// dynamic-update-slice.
//
// Cutting one equal part out of a dimension leaves its inner factor alone, so that factor passes:
//   slice f32[8,96] -> f32[8,32], starts {0,32}      8 pass       operand dim 0, result dim 0
//                                                    3 replicate  operand (dim 1, outer 1)
//                                                   32 pass       operand (dim 1, outer 3), result
//                                                   dim 1
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteSlice(RuleWriter& rule);
void WritePad(RuleWriter& rule);
void WriteConcatenate(RuleWriter& rule);
void WriteDynamicSlice(RuleWriter& rule);
void WriteDynamicUpdateSlice(RuleWriter& rule);

}  // namespace cfp
