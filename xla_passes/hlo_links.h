// Who refers to whom in a module: ids turned into positions, checked once, so that later stages
// only index.
//
//   %7 = dot(%3, %5)    operands(position of %7) -> positions of %3 and %5
//   reduce(...), to_apply=region_2    called(position of the reduce) -> position of region_2
//
// What holds afterwards: operands stand before their users in the same computation and callees
// before their callers, as hlo.proto demands; so neither the values nor the calls can form a cycle.
#pragma once

#include <cstdint>
#include <vector>

#include "hlo_module.h"

namespace cfp {

class HloLinks {
 public:
  // Throws HloError for ids that are missing or given twice, and for references to what comes
  // later.
  explicit HloLinks(const HloModule& module);

  Span<uint32_t> operands(uint32_t instruction) const {
    return {operands_.data() + operands_begin_[instruction],
            operands_begin_[instruction + 1] - operands_begin_[instruction]};
  }
  Span<uint32_t> called(uint32_t instruction) const {
    return {called_.data() + called_begin_[instruction],
            called_begin_[instruction + 1] - called_begin_[instruction]};
  }
  uint32_t root(uint32_t computation) const { return roots_[computation]; }
  uint32_t entry() const { return entry_; }

 private:
  std::vector<uint32_t> operands_, operands_begin_;  // per instruction, and one past the last
  std::vector<uint32_t> called_, called_begin_;
  std::vector<uint32_t> roots_;  // per computation
  uint32_t entry_ = 0;
};

}  // namespace cfp
