// See contraction_rules.h; each function carries the label of its clause in docs/spec.md.
#include "contraction_rules.h"

namespace cfp {
namespace {

struct DotDims {
  explicit DotDims(const RuleWriter& rule)
      : lhs_contracting(rule.list(rule.attributes().dot.lhs_contracting)),
        rhs_contracting(rule.list(rule.attributes().dot.rhs_contracting)),
        lhs_batch(rule.list(rule.attributes().dot.lhs_batch)),
        rhs_batch(rule.list(rule.attributes().dot.rhs_batch)) {}
  Numbers lhs_contracting, rhs_contracting, lhs_batch, rhs_batch;
};

void WriteBatch(RuleWriter& rule, const DotDims& dims) {
  const Numbers lhs = rule.operand_dims(0);
  for (int64_t i = 0; i < dims.lhs_batch.size(); ++i) {
    rule.Add(lhs[dims.lhs_batch[i]], FactorKind::kPass)
        .OnOperand(0, dims.lhs_batch[i])
        .OnOperand(1, dims.rhs_batch[i])
        .OnResult(i);
  }
}

void WriteContracting(RuleWriter& rule, const DotDims& dims) {
  const Numbers lhs = rule.operand_dims(0);
  for (int64_t i = 0; i < dims.lhs_contracting.size(); ++i) {
    rule.Add(lhs[dims.lhs_contracting[i]], FactorKind::kReduced)
        .OnOperand(0, dims.lhs_contracting[i])
        .OnOperand(1, dims.rhs_contracting[i]);
  }
}

// The free dimensions of one operand, `absent` (a group dimension, or -1) left out; they stand in
// the result one after the other from `result_dim` on.
void WriteFree(RuleWriter& rule, size_t operand, const Numbers& batch, const Numbers& contracting,
               int64_t absent, int64_t* result_dim) {
  const Numbers dims = rule.operand_dims(operand);
  for (int64_t d = 0; d < dims.size(); ++d) {
    if (batch.Has(d) || contracting.Has(d) || d == absent) continue;
    rule.Add(dims[d], FactorKind::kPass).OnOperand(operand, d).OnResult((*result_dim)++);
  }
}

void WriteDotFactors(RuleWriter& rule, const DotDims& dims, int64_t rhs_group_dim) {
  WriteBatch(rule, dims);
  int64_t result_dim = dims.lhs_batch.size();
  WriteFree(rule, 0, dims.lhs_batch, dims.lhs_contracting, -1, &result_dim);
  WriteFree(rule, 1, dims.rhs_batch, dims.rhs_contracting, rhs_group_dim, &result_dim);
  WriteContracting(rule, dims);
}

// How many more dimensions the result has than a plain dot of the same operands would have.
int64_t ExtraResultDims(const RuleWriter& rule, const DotDims& dims) {
  const int64_t operand_dims = rule.operand_dims(0).size() + rule.operand_dims(1).size();
  const int64_t summed = 2 * dims.lhs_contracting.size() + dims.lhs_batch.size();
  return rule.result_dims().size() - (operand_dims - summed);
}

// The free dimension of the right side that counts the groups, -1 if there is none.
int64_t GroupDim(const RuleWriter& rule, const DotDims& dims) {
  const Numbers group_sizes = rule.operand_dims(2);
  const Numbers rhs = rule.operand_dims(1);
  for (int64_t d = 0; d < rhs.size(); ++d) {
    if (dims.rhs_batch.Has(d) || dims.rhs_contracting.Has(d)) continue;
    if (rhs[d] == group_sizes[group_sizes.size() - 1]) return d;
  }
  return -1;
}

}  // namespace

void WriteDot(RuleWriter& rule) {  // [R10]
  WriteDotFactors(rule, DotDims(rule), -1);
}

void WriteRaggedDot(RuleWriter& rule) {  // [R11]
  const DotDims dims(rule);
  const int64_t extra = ExtraResultDims(rule, dims);
  const int64_t group_dim = extra == -1 ? GroupDim(rule, dims) : -1;
  if (dims.lhs_contracting.size() == 0 || extra > 0 || (extra < 0 && group_dim < 0)) {
    WriteBarrier(rule);
    return;
  }
  WriteDotFactors(rule, dims, group_dim);
  if (group_dim >= 0) {
    rule.Add(rule.operand_dims(1)[group_dim], FactorKind::kReduced).OnOperand(1, group_dim);
  }
  rule.AddEachOfOperand(2, FactorKind::kReplicate);
}

void WriteReduce(RuleWriter& rule) {  // [R13]
  const Numbers reduced = rule.list(rule.attributes().dimensions);
  const Numbers array = rule.operand_dims(0);
  const size_t num_arrays = rule.num_operands() / 2;  // then as many initial values
  int64_t result_dim = 0;
  for (int64_t d = 0; d < array.size(); ++d) {
    const bool kept = !reduced.Has(d);
    Placement placement = rule.Add(array[d], kept ? FactorKind::kPass : FactorKind::kReduced);
    for (size_t i = 0; i < num_arrays; ++i) placement.OnOperand(i, d);
    if (kept) placement.OnResult(result_dim++);
  }
}

}  // namespace cfp
