// Rules of gather and scatter. Both pair three groups of dimensions: *window* dimensions, which a
// row carries along; *batch* dimensions, one row each; and the looked-up dimensions of the table.
//
//   gather f32[V,D] table, s32[B,1] indices -> f32[B,D]     B pass (indices, result)
//                                                           D pass (table, result)
//                                                           V reduced (table): rows that a shard
//                                                           does not hold count as zero
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteGather(RuleWriter& rule);
void WriteScatter(RuleWriter& rule);

}  // namespace cfp
