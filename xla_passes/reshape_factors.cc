// See reshape_factors.h. Splitting both arrays into g equal runs of elements splits the major-most
// dimension of each by g, as long as g divides both: hence the greatest common divisor at each
// step.
#include "reshape_factors.h"

#include <numeric>

namespace cfp {
namespace {

// Reads the dimensions of one shape from major to minor, in as many pieces as the other side asks.
class Walk {
 public:
  explicit Walk(Numbers dims) : dims_(dims) { Settle(); }
  bool done() const { return dim_ == dims_.size(); }
  int64_t dim() const { return dim_; }
  int64_t outer() const { return outer_; }               // what of this dimension is behind
  int64_t rest() const { return dims_[dim_] / outer_; }  // what of it is still ahead
  void Take(int64_t size) {
    outer_ *= size;
    Settle();
  }

 private:
  // Leaves a dimension that is used up; dimensions of size 1 are used up from the start.
  void Settle() {
    while (!done() && rest() <= 1) {
      ++dim_;
      outer_ = 1;
    }
  }
  Numbers dims_;
  int64_t dim_ = 0;
  int64_t outer_ = 1;
};

int64_t KeepOperandWhole(RuleWriter& rule, Walk& operand) {
  const int64_t size = operand.rest();
  rule.Add(size, FactorKind::kReplicate).OnOperand(0, operand.dim(), operand.outer());
  operand.Take(size);
  return size;
}

int64_t KeepResultWhole(RuleWriter& rule, Walk& result) {
  const int64_t size = result.rest();
  rule.Add(size, FactorKind::kReplicate).OnResult(result.dim(), result.outer());
  result.Take(size);
  return size;
}

// Keeps whole what does not nest, up to where both shapes have a border again.
void SkipToCommonBorder(RuleWriter& rule, Walk& operand, Walk& result) {
  int64_t operand_behind = KeepOperandWhole(rule, operand);
  int64_t result_behind = KeepResultWhole(rule, result);
  while (operand_behind != result_behind) {
    if (operand_behind < result_behind && !operand.done()) {
      operand_behind *= KeepOperandWhole(rule, operand);
    } else if (!result.done()) {
      result_behind *= KeepResultWhole(rule, result);
    } else {
      return;
    }
  }
}

}  // namespace

void WriteReshapeFactors(RuleWriter& rule) {
  Walk operand(rule.operand_dims(0));
  Walk result(rule.result_dims());
  while (!operand.done() && !result.done()) {
    const int64_t common = std::gcd(operand.rest(), result.rest());
    if (common == 1) {
      SkipToCommonBorder(rule, operand, result);
      continue;
    }
    rule.Add(common, FactorKind::kPass)
        .OnOperand(0, operand.dim(), operand.outer())
        .OnResult(result.dim(), result.outer());
    operand.Take(common);
    result.Take(common);
  }
  // Only an array without elements has dimensions left.
  while (!operand.done()) KeepOperandWhole(rule, operand);
  while (!result.done()) KeepResultWhole(rule, result);
}

}  // namespace cfp
