#include "block_order.h"

#include <algorithm>

namespace cfp {
namespace {

class Orderer {
 public:
  Orderer(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
          const std::vector<Owner>& owner)
      : graph_(graph), numbers_(numbers), contractions_(contractions), owner_(owner) {
    const size_t keys = 2 * contractions.list.size();
    position_.assign(keys, -1);
    entered_.assign(keys, false);
    reads_.resize(keys);
  }

  std::vector<int> Run() {
    CollectReads();
    for (int key : first_) Place(key);
    return std::move(position_);
  }

 private:
  bool IsForward(OpId op) const {
    const int c = contractions_.at[op];
    if (c >= 0) return contractions_.list[c].phase == Phase::kForward;
    return numbers_.of[op] == op && !contractions_.IsBackward(op);
  }

  void CollectReads() {
    std::vector<bool> met(position_.size());
    for (OpId op = 0; op < static_cast<OpId>(graph_.ops.size()); ++op) {
      if (owner_[op].kind != OwnerKind::kBlock || !IsForward(op)) continue;
      const int key = owner_[op].index;
      if (!met[key]) first_.push_back(key);
      met[key] = true;
      for (OpId operand : graph_.Reads(op)) {
        const Owner& other = owner_[numbers_.of[operand]];
        if (other.kind != OwnerKind::kBlock || other.index == key) continue;
        std::vector<int>& reads = reads_[key];
        if (std::find(reads.begin(), reads.end(), other.index) == reads.end())
          reads.push_back(other.index);
      }
    }
  }

  // A block that reads what follows from it (expert outputs, combined where they were dispatched)
  // stays ahead.
  bool Follows(int key, int from) const {
    const int count = static_cast<int>(contractions_.list.size());
    if (key >= count || from >= count) return false;
    return key != from && contractions_.ancestors.Contains(contractions_.list[key].op, from);
  }

  struct Visit {
    int key;
    size_t next = 0;
  };

  void Place(int key) {
    std::vector<Visit> stack{{key}};
    while (!stack.empty()) {
      Visit& visit = stack.back();
      if (visit.next == 0 && entered_[visit.key]) {
        stack.pop_back();
        continue;
      }
      entered_[visit.key] = true;
      if (visit.next < reads_[visit.key].size()) {
        const int read = reads_[visit.key][visit.next++];
        if (!entered_[read] && !Follows(read, visit.key)) stack.push_back({read});
      } else {
        position_[visit.key] = count_++;
        stack.pop_back();
      }
    }
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Contractions& contractions_;
  const std::vector<Owner>& owner_;
  std::vector<int> first_;               // keys in order of their first forward op
  std::vector<std::vector<int>> reads_;  // per key
  std::vector<bool> entered_;
  std::vector<int> position_;
  int count_ = 0;
};

}  // namespace

std::vector<int> OrderBlocks(const Graph& graph, const ValueNumbers& numbers,
                             const Contractions& contractions, const std::vector<Owner>& owner) {
  return Orderer(graph, numbers, contractions, owner).Run();
}

}  // namespace cfp
