// The common factors of the two shapes of a reshape, walking both from major to minor.
//
//   f32[8,64] -> f32[8,4,16]     8 | 8,   64 = 4 · 16 | 4, 16        all pass
//   f32[6,2]  -> f32[4,3]        2 of 6 and of 4 passes; 3, 2 | 2, 3 do not nest and stay whole
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteReshapeFactors(RuleWriter& rule);

}  // namespace cfp
