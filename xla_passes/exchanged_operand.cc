#include "exchanged_operand.h"

#include <algorithm>

namespace cfp {
namespace {

constexpr size_t kChainLength = 32;  // same-shape ops followed from each array

bool AreExchanged(const std::vector<Role>& a, const std::vector<Role>& b) {
  const auto exchanged = [](Role x, Role y) { return y == Exchanged(x); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), exchanged) && a != b;
}

// The array and what it was made from by elementwise ops, as long as the shape stays.
std::vector<OpId> Chain(const Graph& graph, const ValueNumbers& numbers,
                        const std::vector<bool>& activation, OpId op) {
  std::vector<OpId> chain{numbers.of[op]};
  for (size_t i = 0; i < chain.size() && chain.size() < kChainLength; ++i) {
    if (!IsElementwise(graph.ops[chain[i]].opcode)) continue;
    for (OpId operand : graph.operands(chain[i])) {
      if (activation[operand] && SameDims(graph, operand, op)) chain.push_back(numbers.of[operand]);
    }
  }
  return chain;
}

}  // namespace

bool ExchangeAnOperand(const Graph& graph, const ValueNumbers& numbers,
                       const std::vector<bool>& activation, OpId contraction, OpId other) {
  Rule rule, other_rule;
  FillPartitionRule(graph, contraction, &rule);
  FillPartitionRule(graph, other, &other_rule);
  for (int i = 0; i < 2; ++i) {
    const std::vector<OpId> chain =
        Chain(graph, numbers, activation, graph.operands(contraction)[i]);
    for (int j = 0; j < 2; ++j) {
      if (!AreExchanged(OperandRoles(graph, contraction, rule, i),
                        OperandRoles(graph, other, other_rule, j)))
        continue;
      const std::vector<OpId> others = Chain(graph, numbers, activation, graph.operands(other)[j]);
      if (std::find_first_of(chain.begin(), chain.end(), others.begin(), others.end()) !=
          chain.end())
        return true;
    }
  }
  return false;
}

}  // namespace cfp
