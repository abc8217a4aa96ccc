// What must hold of a plan before it is laid out.
//
//   strategy 3 of block 5 cuts into 12 pieces at most, not into 8
//   argument 4, f32[10,64], cannot be stored in 4 parts of dimension 0
#pragma once

#include <vector>

#include "axis_layout.h"

namespace cfp {

// Throws HloError with the first thing that does not hold: axes have a size, strategies and places
// cut into equal pieces by all axes together, and `continues` names arguments.
void CheckAxes(const Analysis& analysis, const std::vector<Axis>& axes,
               const std::vector<int>& continues);

}  // namespace cfp
