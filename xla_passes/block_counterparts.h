// Which op of a block does what an op of another block does, where the two are alike.
//
//   first layer      %11 = k   %14 = q   %15 = q·kᵀ      the keys are deeper: listed first
//   second layer     %31 = q   %34 = k   %35 = q·kᵀ      the queries are
//   counterparts     %11 -> %34   %14 -> %31   %15 -> %35
// Two ops correspond if they compute the same of corresponding operands. The order in which
// independent ops are listed does not count, nor what only one of the blocks computes beside.
#pragma once

#include <unordered_map>

#include "block_view.h"

namespace cfp {

std::unordered_map<OpId, OpId> Counterparts(const BlockView& from, const BlockView& to);

}  // namespace cfp
