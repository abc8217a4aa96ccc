// How one split of one value goes on through one op.
//
// A split cuts dimension `dim`, seen as [outer, rest], along the most major part of `rest`;
// `granule` is the largest number of equal pieces it can be cut into so far (every factor met on
// the way must divide).
//
//   n of  [8,32,64] = x · W        Split{dim 2, outer 1, granule 64}
//   reshape to [8,32,4,16]         Split{dim 2, outer 1, granule 4}: heads
//   transpose to [8,4,32,16]       Split{dim 1, outer 1, granule 4}
// A fused projection n = 3 x 64 is cut as [3, 64]: Split{dim 2, outer 3, granule 64}; the slice
// that takes the middle third leaves Split{dim 2, outer 1, granule 64}.
#pragma once

#include "partition_rules.h"

namespace cfp {

struct Split {
  int16_t dim = -1;
  int64_t outer = 1;
  int64_t granule = 1;
};

// What one op works on where one mesh axis splits it: a factor of its rule, cut inside its `within`
// most major parts; -1: every device does all of it.
struct Work {
  int factor = -1;
  int64_t within = 1;
};

// Whether work goes on with the factor cut: untouched, as partial sums, or with its neighbours'
// edges.
inline bool CanBeCut(FactorKind kind) {
  return kind == FactorKind::kPass || kind == FactorKind::kReduced || kind == FactorKind::kHalo;
}

// The factor of operand `operand` that the split cuts; -1 if the rule has none there.
int FactorCut(const Rule& rule, int operand, const Split& split);

// The factor of the result that the split cuts; -1 if there is none.
int ResultFactorCut(const Rule& rule, const Split& split);

// The split of one site of a factor that is worked on.
Split SplitAt(const Factor& factor, const Site& site, int64_t within);

// The split carried from one site of a factor to another; granule 1 when it cannot be cut there at
// all.
Split Carry(const Factor& factor, const Site& from, const Site& to, const Split& split);

}  // namespace cfp
