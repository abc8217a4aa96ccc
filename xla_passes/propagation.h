// Follows one class of splits through a block, op by op, and notes every collective it needs on the
// way.
//
//   scores[b,h,s,t] = q·k with q split on s and k on t, both from x's sequence: one class on two
//   factors. The contraction can keep only one. Variant 0 keeps the first operand's: k is gathered,
//   and from here on the class is what descends from q; where it meets the unforked v later, the
//   forked side wins again. [B4]
#pragma once

#include "block_view.h"
#include "strategies.h"

namespace cfp {

// The strategy of cutting `seeds` together. Where the class forks, `variant` (0 or 1) says which
// operand's factor is kept; a strategy that never forked has variant -1.
Strategy PropagateClass(const BlockView& view, const std::vector<Seed>& seeds, int variant);

// What the seeds ask of the values that feed them, inputs and members of the block, found by
// walking back from the contractions they sit on. [B3]
std::vector<Placed> WantedValues(const BlockView& view, const std::vector<Seed>& seeds);

}  // namespace cfp
