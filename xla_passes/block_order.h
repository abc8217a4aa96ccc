// The order in which blocks are listed: that of their first forward op, but a block comes after the
// blocks whose values it reads. The canonical walk may meet the scores of the first layer before
// the position bias they share with all layers; the bias still is listed ahead, so that the layers
// stand side by side.
#pragma once

#include <vector>

#include "parallel_blocks.h"

namespace cfp {

// Per block key (the `index` of an Owner before blocks are numbered): its position, -1 where there
// is no such block.
std::vector<int> OrderBlocks(const Graph& graph, const ValueNumbers& numbers,
                             const Contractions& contractions, const std::vector<Owner>& owner);

}  // namespace cfp
