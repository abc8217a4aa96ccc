// See layout_rules.h; each function carries the label of its clause in docs/spec.md.
#include "layout_rules.h"

#include <algorithm>

#include "reshape_factors.h"

namespace cfp {
namespace {

void AddEachOfOperands(RuleWriter& rule, FactorKind kind) {
  for (size_t i = 0; i < rule.num_operands(); ++i) rule.AddEachOfOperand(i, kind);
}

// Each result of such an op is one of its operands, not one of several outputs of a computation.
bool GathersResults(Opcode opcode) {
  return opcode == Opcode::kLoop || opcode == Opcode::kBranch || opcode == Opcode::kTuple;
}

}  // namespace

void WriteElementwise(RuleWriter& rule) {  // [R1]
  WriteAligned(rule, [](int64_t) { return FactorKind::kPass; });
}

void WriteBroadcast(RuleWriter& rule) {  // [R2]
  const Numbers target = rule.list(rule.attributes().dimensions);
  const Numbers operand = rule.operand_dims(0);
  const Numbers result = rule.result_dims();
  for (int64_t d = 0; d < result.size(); ++d) {
    Placement placement = rule.Add(result[d], FactorKind::kPass).OnResult(d);
    const int64_t source = target.Find(d);
    if (source >= 0 && operand[source] == result[d]) placement.OnOperand(0, source);
  }
}

void WriteSource(RuleWriter& rule) {  // [R3]
  AddEachOfOperands(rule, FactorKind::kReplicate);
  rule.AddEachOfResult(FactorKind::kPass);
}

void WriteCarry(RuleWriter& rule) {  // [R4]
  AddEachOfOperands(rule, FactorKind::kPass);
  rule.AddEachOfResult(FactorKind::kPass);
}

void WriteTranspose(RuleWriter& rule) {  // [R5]
  const Numbers sources = rule.list(rule.attributes().dimensions);
  const Numbers result = rule.result_dims();
  for (int64_t d = 0; d < result.size(); ++d) {
    rule.Add(result[d], FactorKind::kPass).OnOperand(0, sources[d]).OnResult(d);
  }
}

void WriteReverse(RuleWriter& rule) {  // [R6]
  const Numbers reversed = rule.list(rule.attributes().dimensions);
  WriteAligned(
      rule, [&](int64_t d) { return reversed.Has(d) ? FactorKind::kPermute : FactorKind::kPass; });
}

void WriteReshape(RuleWriter& rule) {  // [R7]
  WriteReshapeFactors(rule);
}

void WriteBitcast(RuleWriter& rule) {  // [R7]
  const bool same_width = BitWidth(rule.op().shape.dtype) == BitWidth(rule.operand(0).shape.dtype);
  same_width ? WriteReshapeFactors(rule) : WriteBitcastConvert(rule);
}

void WriteBitcastConvert(RuleWriter& rule) {  // [R8]
  const Numbers operand = rule.operand_dims(0);
  const Numbers result = rule.result_dims();
  WriteLeading(rule, std::min(operand.size(), result.size()));
}

void WriteRegionEnd(RuleWriter& rule) {  // [R4]
  AddEachOfOperands(rule, FactorKind::kPass);
}

void WriteGetTupleElement(RuleWriter& rule) {  // [R9]
  const Op& source = rule.operand(0);
  const Numbers element = rule.result_dims();
  if (GathersResults(source.opcode)) {
    rule.AddEachOfResult(FactorKind::kPass);
    return;
  }
  const Numbers operand = rule.operand_dims(0);
  const bool alike = std::equal(element.begin(), element.end(), operand.begin(), operand.end());
  alike ? WriteElementwise(rule) : WriteWhole(rule);
}

}  // namespace cfp
