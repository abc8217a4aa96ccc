// Partition rules in words, for dumps and tests.
//
//   R10: 8 pass 0.0 r.0 | 4 pass 1.1 r.1 | 16 reduced 0.1 1.0          a dot f32[8,16] · f32[16,4]
//   R16: 3 replicate 0.1 | 32 pass 0.1/3 r.1                           a slice f32[96] -> f32[32]
//
// A factor is its size, its kind and its sites; a site is `array.dim`, the arrays being the
// operands by number and `r` the result, with `/outer` where the factor is not the major-most of
// its dimension.
#pragma once

#include <string>

#include "partition_rules.h"

namespace cfp {

std::string RuleText(const Rule& rule);
std::string FactorText(const Rule& rule, size_t factor);  // "8 pass 0.0 r.0"

// One op a line, `%2 dot(%0, %1)  R10: …`; a parameter says its number, `%0 parameter(1)  R3: …`.
std::string DumpPartitionRules(const Graph& graph);

}  // namespace cfp
