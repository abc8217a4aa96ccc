// How arrays lie on the devices of a module, as serialised xla.OpShardings of the oldest form,
// which every partitioner reads.
//
//   f32[8,32,64], Split{dim 1}, 4 pieces    {devices=[1,4,1]0,1,2,3}
//   f32[8,32,64], no split                  {replicated}
//   f32[8,192], Split{dim 1, outer 3}       cannot be said: tiles of one device lie side by side
#pragma once

#include <string>
#include <vector>

#include "hlo_module.h"
#include "split.h"

namespace cfp {

// Whether a sharding can say that a value is cut so.
inline bool CanBeSaid(const Split& split) { return split.dim < 0 || split.outer == 1; }

// The value cut in `pieces`, or whole where the split has no dimension. Of a tuple, the elements
// that are as large as the widest one are cut: those are what the op's partition rule describes.
// [R9]
std::string ShardingOf(const HloModule& module, const Shape& shape, const Split& split, int pieces);

// Of a tuple: one sharding per element.
std::string TupleSharding(const std::vector<std::string>& elements);

}  // namespace cfp
