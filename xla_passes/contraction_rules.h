// Rules of what sums products over shared dimensions, and of plain sums over dimensions.
//
//   dot f32[b,m,k] · f32[b,k,n] -> f32[b,m,n]      b pass (both), m, n pass, k reduced (both)
//   reduce f32[m,k] over {1} -> f32[m]             m pass, k reduced
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteDot(RuleWriter& rule);
void WriteRaggedDot(RuleWriter& rule);
void WriteReduce(RuleWriter& rule);

}  // namespace cfp
