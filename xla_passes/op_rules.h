// The partition rules of all ops of a graph, each kind of op once.
//
//   168 layers of GPT: 105,307 ops, 266 rules
// Layers repeat, and with them the shapes and attributes that a rule depends on. Passes that look
// at every op again and again read their rules here.
#pragma once

#include <vector>

#include "partition_rules.h"

namespace cfp {

class OpRules {
 public:
  explicit OpRules(const Graph& graph);

  const Rule& of(OpId op) const { return rules_[index_[op]]; }
  size_t distinct() const { return rules_.size(); }

 private:
  std::vector<int32_t> index_;  // per op
  std::vector<Rule> rules_;
};

}  // namespace cfp
