// The root factors of a block that one split must cut together.
//
//   attention     {batch of q, k, v} {sequence of q, k, v} {heads of Wq, Wk, Wv} {contracted of q,
//   k, v}
// They meet: on a batch factor of q·kᵀ (heads), or because their roots read one input at one place
// (batch).
#pragma once

#include <vector>

#include "block_view.h"
#include "strategies.h"

namespace cfp {

// [B3] Every class by its seeds, in the order of the first.
std::vector<std::vector<Seed>> FindClasses(const BlockView& view);

Origin OriginOfClass(const std::vector<Seed>& seeds);

}  // namespace cfp
