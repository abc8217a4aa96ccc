// See rule_writer.h.
#include "rule_writer.h"

namespace cfp {
const Op& OpView::operand(size_t i) const {
  if (i >= operands_.size()) throw std::out_of_range("no operand of that number");
  return graph_.ops[operands_[i]];
}

RuleWriter::RuleWriter(const Graph& graph, OpId op, Rule* rule) : OpView(graph, op), rule_(rule) {
  rule->barrier = false;
  rule->num_operands = static_cast<int>(num_operands());
  rule->factors.clear();
  rule->sites.clear();
}

Placement RuleWriter::Add(int64_t size, FactorKind kind) {
  if (size <= 1) return Placement(nullptr, num_operands());
  const size_t begin = rule_->sites.size();
  rule_->factors.push_back({size, kind});
  rule_->sites.resize(begin + num_operands() + 1);
  return Placement(rule_->sites.data() + begin, num_operands());
}

void RuleWriter::AddEachOfOperand(size_t operand, FactorKind kind) {
  const Numbers dims = operand_dims(operand);
  for (int64_t d = 0; d < dims.size(); ++d) Add(dims[d], kind).OnOperand(operand, d);
}

void RuleWriter::AddEachOfResult(FactorKind kind) {
  const Numbers dims = result_dims();
  for (int64_t d = 0; d < dims.size(); ++d) Add(dims[d], kind).OnResult(d);
}

void WriteWhole(RuleWriter& rule) {
  for (size_t i = 0; i < rule.num_operands(); ++i) {
    rule.AddEachOfOperand(i, FactorKind::kReplicate);
  }
  rule.AddEachOfResult(FactorKind::kReplicate);
}

void WriteBarrier(RuleWriter& rule) {
  rule.MarkBarrier();
  WriteWhole(rule);
}

void WriteLeading(RuleWriter& rule, int64_t leading) {
  const Numbers result = rule.result_dims();
  WriteAligned(rule,
               [&](int64_t d) { return d < leading ? FactorKind::kPass : FactorKind::kReplicate; });
  for (size_t i = 0; i < rule.num_operands(); ++i) {
    const Numbers operand = rule.operand_dims(i);
    for (int64_t d = 0; d < operand.size(); ++d) {
      if (d < result.size() && operand[d] == result[d]) continue;
      rule.Add(operand[d], FactorKind::kReplicate).OnOperand(i, d);
    }
  }
}

}  // namespace cfp
