// Writes shardings into a module by splicing: every byte that is not a sharding stays as it was, so
// fields that this core has never heard of survive, and without edits the result is the input.
//
//   std::string annotated = WriteShardings(module, {{7, replicated}});   // instruction 7 now has
//   `sharding={replicated}`
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hlo_module.h"

namespace cfp {

struct ShardingEdit {
  uint32_t instruction = 0;  // in HloModule::instructions
  std::string sharding;      // an xla.OpSharding, serialised
};

// Sets or replaces the sharding of the instructions named, in any order; the module itself stays as
// it is. Throws HloError for an instruction that does not exist or is named twice.
std::string WriteShardings(const HloModule& module, std::vector<ShardingEdit> edits);

}  // namespace cfp
