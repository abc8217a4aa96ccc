// What every forward op works on when each block follows one of its strategies on one mesh axis.
//
//   block 5, also at 9 and 13: strategy 3, "weight %311 n0"
//     %311 dot      works on n0, so its result is cut on dim 2
//     %318 gelu     works on the same
//     %305 norm     is not reached: it follows what it reads
// A contraction that is not reached is whole. Strategies are known for the first of the blocks that
// are alike; the others do the same, op by op.
#pragma once

#include <vector>

#include "analysis.h"

namespace cfp {

constexpr int kWhole = -1;  // in place of a strategy: the axis does not split the block

struct ForwardWorks {
  std::vector<Work> of;       // per op
  std::vector<bool> decided;  // per op: a strategy speaks of it; the others follow what they read
};

// `choice` holds for each block a strategy of the first block alike, or kWhole. Throws HloError
// where there is no such strategy. [L1]
ForwardWorks DivideForward(const Analysis& analysis, const std::vector<int>& choice);

}  // namespace cfp
