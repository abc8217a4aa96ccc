// Resolves ids; see hlo_links.h.
#include "hlo_links.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "hlo_error.h"

namespace cfp {
namespace {

constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

// Id -> position. Ids of one computation usually are 1, 2, 3 … in some order: then a table holds
// them, else a sorted list.
class Positions {
 public:
  // Returns an id that occurs twice, through `duplicate`; false where there is none.
  bool Build(const std::vector<int64_t>& ids, uint32_t first_position, int64_t* duplicate) {
    const auto [least, most] = std::minmax_element(ids.begin(), ids.end());
    least_ = ids.empty() ? 0 : *least;
    const uint64_t range =
        ids.empty() ? 0 : static_cast<uint64_t>(*most) - static_cast<uint64_t>(least_);
    dense_ = range < 4 * ids.size() + 16;
    return dense_ ? BuildTable(ids, range, first_position, duplicate)
                  : BuildList(ids, first_position, duplicate);
  }

  uint32_t Find(int64_t id) const {
    if (dense_) {
      const uint64_t offset = static_cast<uint64_t>(id) - static_cast<uint64_t>(least_);
      return offset < table_.size() ? table_[offset] : kNowhere;
    }
    const auto found = std::lower_bound(list_.begin(), list_.end(), std::pair(id, uint32_t{0}));
    return found != list_.end() && found->first == id ? found->second : kNowhere;
  }

 private:
  bool BuildTable(const std::vector<int64_t>& ids, uint64_t range, uint32_t position,
                  int64_t* duplicate) {
    table_.assign(ids.empty() ? 0 : range + 1, kNowhere);
    for (const int64_t id : ids) {
      uint32_t& entry = table_[static_cast<uint64_t>(id) - static_cast<uint64_t>(least_)];
      if (entry != kNowhere) return *duplicate = id, true;
      entry = position++;
    }
    return false;
  }

  bool BuildList(const std::vector<int64_t>& ids, uint32_t position, int64_t* duplicate) {
    list_.clear();
    for (const int64_t id : ids) list_.emplace_back(id, position++);
    std::sort(list_.begin(), list_.end());
    for (size_t i = 1; i < list_.size(); ++i) {
      if (list_[i].first == list_[i - 1].first) return *duplicate = list_[i].first, true;
    }
    return false;
  }

  bool dense_ = true;
  int64_t least_ = 0;
  std::vector<uint32_t> table_;
  std::vector<std::pair<int64_t, uint32_t>> list_;
};

std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

Positions ComputationPositions(const HloModule& module) {
  std::vector<int64_t> ids;
  for (const Computation& computation : module.computations) ids.push_back(computation.id);
  Positions positions;
  int64_t duplicate;
  if (positions.Build(ids, 0, &duplicate)) {
    throw HloError("HLO: two computations have the id " + std::to_string(duplicate));
  }
  return positions;
}

void PlaceInstructions(const HloModule& module, const Computation& computation,
                       Positions* positions) {
  std::vector<int64_t> ids;
  for (uint32_t i = computation.begin; i < computation.end; ++i) {
    ids.push_back(module.instructions[i].id);
  }
  int64_t duplicate;
  if (positions->Build(ids, computation.begin, &duplicate)) {
    throw HloError("HLO: two instructions of computation " + Quoted(computation.name) +
                   " have the id " + std::to_string(duplicate));
  }
}

}  // namespace

HloLinks::HloLinks(const HloModule& module) {
  const Positions computations = ComputationPositions(module);
  Positions positions;
  for (uint32_t c = 0; c < module.computations.size(); ++c) {
    const Computation& computation = module.computations[c];
    PlaceInstructions(module, computation, &positions);
    for (uint32_t i = computation.begin; i < computation.end; ++i) {
      const Instruction& instruction = module.instructions[i];
      operands_begin_.push_back(static_cast<uint32_t>(operands_.size()));
      for (const int64_t id : module.list(instruction.operands)) {
        operands_.push_back(positions.Find(id));
        if (operands_.back() < i) continue;
        throw HloError("HLO: instruction " + Quoted(instruction.name) + " uses id " +
                       std::to_string(id) + ", which no instruction before it has");
      }
      called_begin_.push_back(static_cast<uint32_t>(called_.size()));
      for (const int64_t id : module.list(instruction.called)) {
        called_.push_back(computations.Find(id));
        if (called_.back() < c) continue;
        throw HloError("HLO: instruction " + Quoted(instruction.name) + " calls computation " +
                       std::to_string(id) +
                       ", which is not listed before it (recursion is not allowed)");
      }
    }
    roots_.push_back(positions.Find(computation.root_id));
    if (roots_.back() == kNowhere) {
      throw HloError("HLO: computation " + Quoted(computation.name) +
                     " has no instruction with its root id " + std::to_string(computation.root_id));
    }
  }
  operands_begin_.push_back(static_cast<uint32_t>(operands_.size()));
  called_begin_.push_back(static_cast<uint32_t>(called_.size()));
  entry_ = computations.Find(module.entry_id);
  if (entry_ == kNowhere) {
    throw HloError("HLO: no computation has the entry id " + std::to_string(module.entry_id));
  }
}

}  // namespace cfp
