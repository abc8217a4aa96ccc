// The rules of custom calls, by target: a table of the ones whose meaning is known.
//
//   custom-call f32[8,64], target "Sharding"        an annotation: as elementwise
//   custom-call f32[8,64], target "my_kernel"       a barrier: all whole, and reported
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteCustomCall(RuleWriter& rule);

}  // namespace cfp
