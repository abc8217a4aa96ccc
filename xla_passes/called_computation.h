// What a computation that stays called (`to_apply` of a reduce, the comparator of a sort …) is, in
// one line: a hash of what it computes and, where it is one op of its two arguments, which.
//
//   region_0 { a = f32[] parameter(0), b = f32[] parameter(1), ROOT add(a, b) }   ->  {hash,
//   Combiner::kAdd}
#pragma once

#include <cstdint>
#include <vector>

#include "hlo_links.h"
#include "hlo_module.h"

namespace cfp {

struct CalledComputation {
  uint64_t hash = 0;  // of the expression that the root is: no names, no ids, no order of listing
  Combiner combiner = Combiner::kOther;
};

// One per computation of the module.
std::vector<CalledComputation> SummarizeComputations(const HloModule& module,
                                                     const HloLinks& links);

// Dtype and dimensions.
uint64_t HashShape(const HloModule& module, const Shape& shape);

}  // namespace cfp
