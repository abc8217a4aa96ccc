// One block as the strategy search sees it: its forward ops once each, with their rules at hand.
#pragma once

#include <unordered_map>
#include <vector>

#include "parallel_blocks.h"

namespace cfp {

// What a value is to the block that reads it.
enum class Relation : uint8_t {
  kMember,  // computed in the block
  kInput,   // an activation of another block, or a loop's state: it has one layout, which readers
            // must accept
  kSource,  // parameters, constants, masks: every reader takes the part it needs
};

class BlockView {
 public:
  BlockView(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
            const Grouping& grouping, const Blocks& blocks, int block);

  const Graph& graph() const { return graph_; }
  const std::vector<OpId>& ops() const { return ops_; }
  const std::vector<int>& forward() const { return forward_; }
  const Rule& rule(OpId op) const { return rules_[index_.at(op)]; }
  OpId number(OpId op) const { return numbers_.of[op]; }
  bool IsMember(OpId value) const { return index_.count(value) > 0; }
  Relation RelationOf(OpId value) const;
  int contraction(OpId op) const { return contractions_.at[op]; }
  const Contraction& at(int contraction) const { return contractions_.list[contraction]; }
  int WeightOf(int contraction) const {
    return WeightOperand(graph_, contractions_, grouping_, contraction);
  }
  bool IsRoot(int contraction) const {
    return grouping_.join[contraction] == Join::kRoot ||
           grouping_.join[contraction] == Join::kSibling;
  }
  int64_t PartsOf(int contraction, int factor) const;
  int64_t SizeBytes(OpId value) const;

 private:
  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Contractions& contractions_;
  const Grouping& grouping_;
  std::vector<OpId> ops_;
  std::vector<int> forward_;
  std::vector<Rule> rules_;
  std::unordered_map<OpId, int> index_;
};

}  // namespace cfp
