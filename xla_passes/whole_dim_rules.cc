// See whole_dim_rules.h; each function carries the label of its clause in docs/spec.md.
#include "whole_dim_rules.h"

#include <algorithm>

namespace cfp {
namespace {

// All but the last `touched` dimensions pass.
void WriteTrailingWhole(RuleWriter& rule, int64_t touched) {
  WriteLeading(rule, std::max<int64_t>(0, rule.result_dims().size() - touched));
}

// The dimension of the array that has the size of the per-feature vectors; -1 if two have it.
int64_t FeatureDim(const RuleWriter& rule) {
  const Numbers array = rule.operand_dims(0);
  const int64_t features = rule.operand_dims(1)[0];
  const int64_t dim = array.Find(features);
  return std::count(array.begin(), array.end(), features) == 1 ? dim : -1;
}

// The operands of the array's rank share its dimensions, the vectors its feature dimension alone.
void WriteNormFactors(RuleWriter& rule, FactorKind other_dims) {
  const int64_t feature_dim = FeatureDim(rule);
  if (feature_dim < 0) {
    WriteBarrier(rule);
    return;
  }
  const Numbers array = rule.operand_dims(0);
  for (int64_t d = 0; d < array.size(); ++d) {
    const bool feature = d == feature_dim;
    Placement placement = rule.Add(array[d], feature ? FactorKind::kPass : other_dims).OnResult(d);
    for (size_t i = 0; i < rule.num_operands(); ++i) {
      if (rule.operand_dims(i).size() == array.size())
        placement.OnOperand(i, d);
      else if (feature)
        placement.OnOperand(i, 0);
    }
  }
}

}  // namespace

void WriteSort(RuleWriter& rule) {  // [R20]
  const int64_t sorted = rule.list(rule.attributes().dimensions)[0];
  WriteAligned(rule,
               [&](int64_t d) { return d == sorted ? FactorKind::kReplicate : FactorKind::kPass; });
}

void WriteLastDimWhole(RuleWriter& rule) {  // [R21]
  WriteTrailingWhole(rule, 1);
}

void WriteMatrixWhole(RuleWriter& rule) {  // [R21]
  WriteTrailingWhole(rule, 2);
}

void WriteFft(RuleWriter& rule) {  // [R21]
  WriteTrailingWhole(rule, 3);
}

void WriteBatchNorm(RuleWriter& rule) {  // [R22]
  WriteNormFactors(rule, FactorKind::kReplicate);
}

void WriteBatchNormInference(RuleWriter& rule) {  // [R22]
  WriteNormFactors(rule, FactorKind::kPass);
}

}  // namespace cfp
