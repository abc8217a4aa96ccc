// The rule of scaled-dot: a dot whose operands come with scales, one for each block of elements.
//
//   f8[m,64] (scales [m,2]) · f8[64,n] (scales [2,n])     64 = 2 · 32 reduced; the 2 stands on the
//                                                         scales too
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteScaledDot(RuleWriter& rule);

}  // namespace cfp
