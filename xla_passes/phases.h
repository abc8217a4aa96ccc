// Which contractions are gradients, and of which operand of which forward contraction. See
// contractions.h.
#pragma once

#include "contractions.h"

namespace cfp {

// [B9] Sets phase, forward and gradient_of of every contraction in the list.
void AssignPhases(const Graph& graph, const ValueNumbers& numbers, Contractions* contractions);

}  // namespace cfp
