// Which ops update parameters: the optimizer, one chain of ops per parameter.
//
//   m' = m · b1 + g · (1 - b1)      every op here, from g · (1 - b1) on, is of the chain of w: it
//   has the shape of a w' = w - rate · m'              stored array, meets one, and no contraction
//   of this step reads it
#pragma once

#include <vector>

#include "contractions.h"
#include "users.h"

namespace cfp {

// [B10.10] Per op: the number of the entry parameter that names its chain (the least that the chain
// reads), or -1.
std::vector<int> FindOptimizerChains(const Graph& graph, const Contractions& contractions,
                                     const Users& users);

}  // namespace cfp
