#include "optimizer_chains.h"

#include <algorithm>
#include <climits>

#include "disjoint_sets.h"

namespace cfp {
namespace {

class Chains {
 public:
  Chains(const Graph& graph, const Contractions& contractions, const Users& users)
      : graph_(graph),
        contractions_(contractions),
        users_(users),
        count_(static_cast<OpId>(graph.ops.size())),
        feeds_(count_),
        is_member_(count_) {}

  std::vector<int> Run() {
    FindWhatFeedsContractions();
    FindMembers();
    return Name();
  }

 private:
  // feeds_[op]: a contraction, in this trip of a loop or the next, depends on the op.
  void FindWhatFeedsContractions() {
    for (bool changed = true; changed;) {
      changed = false;
      for (OpId op = count_ - 1; op >= 0; --op) {
        const bool feeds = feeds_[op] || contractions_.at[op] >= 0;
        if (graph_.ops[op].opcode == Opcode::kLoop || !feeds) continue;
        for (OpId operand : graph_.Reads(op)) feeds_[operand] = true;
        const OpId next = graph_.NextOf(op);
        if (next == kNoOp || feeds_[next]) continue;
        feeds_[next] = true;
        changed = true;
      }
    }
  }

  void FindMembers() {
    for (OpId op = 0; op < count_; ++op) {
      if (!MayUpdate(op)) continue;
      for (OpId operand : graph_.operands(op)) {
        const bool meets = is_member_[operand] || IsStored(operand);
        if (meets && SameDims(graph_, operand, op)) is_member_[op] = true;
      }
    }
    // What only a chain of its own shape reads belongs to the chain: g · (1 - b1).
    for (OpId op = count_ - 1; op >= 0; --op) {
      if (is_member_[op] || !MayUpdate(op) || users_.of(op).empty()) continue;
      is_member_[op] = std::all_of(users_.of(op).begin(), users_.of(op).end(), [&](OpId user) {
        return is_member_[user] && SameDims(graph_, user, op);
      });
    }
  }

  bool MayUpdate(OpId op) const {
    return IsElementwise(graph_.ops[op].opcode) && contractions_.IsBackward(op) && !feeds_[op] &&
           contractions_.at[op] < 0;
  }

  // The entry parameter behind casts; kNoOp for anything else.
  OpId Stored(OpId op) const {
    while (graph_.ops[op].opcode == Opcode::kConvert) op = graph_.operands(op)[0];
    const bool stored =
        graph_.ops[op].opcode == Opcode::kParameter && IsFloat(graph_.ops[op].shape.dtype);
    return stored ? op : kNoOp;
  }
  bool IsStored(OpId op) const { return Stored(op) != kNoOp; }

  // Members that read each other at full shape are one chain; scalars (a learning rate) tie
  // nothing.
  std::vector<int> Name() const {
    DisjointSets chains(count_);
    std::vector<int> name(count_, INT_MAX);
    for (OpId op = 0; op < count_; ++op) {
      if (!is_member_[op] || graph_.dims(op).empty()) continue;
      for (OpId operand : graph_.operands(op)) {
        if (is_member_[operand] && SameDims(graph_, operand, op)) chains.Unite(operand, op);
      }
    }
    for (OpId op = 0; op < count_; ++op) {
      if (!is_member_[op]) continue;
      for (OpId operand : graph_.operands(op)) {
        if (!IsStored(operand) || !SameDims(graph_, operand, op)) continue;
        int& least = name[chains.Find(op)];
        least = std::min(least, static_cast<int>(graph_.attributes(Stored(operand)).index));
      }
    }
    std::vector<int> chain(count_, -1);
    for (OpId op = 0; op < count_; ++op) {
      if (is_member_[op] && name[chains.Find(op)] != INT_MAX) chain[op] = name[chains.Find(op)];
    }
    return chain;
  }

  const Graph& graph_;
  const Contractions& contractions_;
  const Users& users_;
  const OpId count_;
  std::vector<bool> feeds_;
  std::vector<bool> is_member_;
};

}  // namespace

std::vector<int> FindOptimizerChains(const Graph& graph, const Contractions& contractions,
                                     const Users& users) {
  return Chains(graph, contractions, users).Run();
}

}  // namespace cfp
