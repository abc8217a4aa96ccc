// For tests that order and names do not count.
#pragma once

#include <algorithm>
#include <random>

#include "hlo_testing.h"

namespace cfp::testing {

// The same computation listed in another valid order, under other ids and names.
inline HloText Shuffled(const HloText& original, uint32_t seed) {
  std::mt19937 random(seed);
  HloText shuffled = original;
  shuffled.instructions.clear();
  shuffled.name_suffix = ".s" + std::to_string(seed);
  std::vector<HloText::Line> waiting = original.instructions;
  std::vector<int64_t> listed;
  while (!waiting.empty()) {
    const size_t pick = random() % waiting.size();
    const auto is_listed = [&](int64_t id) {
      return std::find(listed.begin(), listed.end(), id) != listed.end();
    };
    const Integers& operands = waiting[pick].operands;
    if (!std::all_of(operands.begin(), operands.end(), is_listed)) continue;
    listed.push_back(waiting[pick].id);
    shuffled.instructions.push_back(waiting[pick]);
    waiting.erase(waiting.begin() + static_cast<long>(pick));
  }
  const int64_t factor = 1 + seed % 7, offset = 1000 * seed;  // another numbering, dense or sparse
  const auto renumbered = [&](int64_t id) { return (id & 0xffffffff) * factor + offset; };
  for (HloText::Line& line : shuffled.instructions) {
    line.id = renumbered(line.id);
    for (int64_t& operand : line.operands) operand = renumbered(operand);
  }
  shuffled.root_id = renumbered(original.root_id);
  return shuffled;
}

}  // namespace cfp::testing
