#include "exchanged_operand.h"

#include <algorithm>

namespace cfp {
namespace {

constexpr size_t kChainLength = 32;  // same-shape ops followed from each array

bool Exchanged(const std::vector<Role>& a, const std::vector<Role>& b) {
  if (a.size() != b.size()) return false;
  bool any = false;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool exchanged = (a[i] == Role::kFree && b[i] == Role::kContracted) ||
                           (a[i] == Role::kContracted && b[i] == Role::kFree);
    if (!exchanged && a[i] != b[i]) return false;
    any = any || exchanged;
  }
  return any;
}

// The array and what it was made from by elementwise ops, as long as the shape stays.
std::vector<OpId> Chain(const Graph& graph, const ValueNumbers& numbers,
                        const std::vector<bool>& activation, OpId op) {
  std::vector<OpId> chain{numbers.of[op]};
  const Span<int64_t> dims = graph.dims(op);
  for (size_t i = 0; i < chain.size() && chain.size() < kChainLength; ++i) {
    if (!IsElementwise(graph.ops[chain[i]].opcode)) continue;
    for (OpId operand : graph.operands(chain[i])) {
      const Span<int64_t> other = graph.dims(operand);
      const bool alike = std::equal(dims.begin(), dims.end(), other.begin(), other.end());
      if (alike && activation[operand]) chain.push_back(numbers.of[operand]);
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
      if (!Exchanged(OperandRoles(graph, contraction, rule, i),
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
