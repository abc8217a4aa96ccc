// See custom_call_rules.h. A new target is one more row of the table.
#include "custom_call_rules.h"

#include <algorithm>
#include <string_view>

#include "layout_rules.h"
#include "whole_dim_rules.h"

namespace cfp {
namespace {

// The first dimension is a batch, everything else stays whole.
void WriteBatchMajor(RuleWriter& rule) { WriteLeading(rule, 1); }

// Annotations change nothing, unless they lead from the whole array to one device's piece of it.
void WriteAnnotation(RuleWriter& rule) {
  const Numbers operand = rule.operand_dims(0), result = rule.result_dims();
  const bool same_shape = std::equal(operand.begin(), operand.end(), result.begin(), result.end());
  same_shape ? WriteElementwise(rule) : WriteBarrier(rule);
}

struct KnownTarget {
  std::string_view prefix;
  void (*write)(RuleWriter&);
};

constexpr KnownTarget kKnownTargets[] = {
    {"Sharding", WriteAnnotation},
    {"SPMDFullToShardShape", WriteAnnotation},
    {"SPMDShardToFullShape", WriteAnnotation},
    {"xla.sdy.FuncResultSharding", WriteAnnotation},
    {"LayoutConstraint", WriteAnnotation},
    {"annotate_device_placement", WriteAnnotation},
    {"MoveToHost", WriteAnnotation},
    {"MoveToDevice", WriteAnnotation},
    {"mhlo.erf", WriteElementwise},
    {"mhlo.tan", WriteElementwise},
    {"cu_threefry2x32", WriteElementwise},
    {"TopK", WriteLastDimWhole},
    {"mhlo.topk", WriteLastDimWhole},
    {"lapack_", WriteMatrixWhole},
    {"cusolver_", WriteMatrixWhole},
    {"__cudnn$fmha", WriteBatchMajor},
};

}  // namespace

void WriteCustomCall(RuleWriter& rule) {  // [R27]
  const std::string_view target = rule.attributes().custom_call_target;
  for (const KnownTarget& known : kKnownTargets) {
    if (target.substr(0, known.prefix.size()) != known.prefix) continue;
    known.write(rule);
    return;
  }
  WriteBarrier(rule);
}

}  // namespace cfp
