// See scaled_dot_rule.h. XLA has listed the operands in two orders, (lhs, rhs, scales of both) and
// (lhs, its scales, rhs, its scales); which one it is shows in the sizes of the summed dimensions.
#include "scaled_dot_rule.h"

#include <algorithm>
#include <initializer_list>

namespace cfp {
namespace {

struct Side {
  size_t array, scale;
  Numbers batch, contracting;
};

struct SideDim {
  const Side& side;
  int64_t dim;
};

// Into how many blocks the scales cut a dimension; 1 for a single scale.
int64_t BlocksOf(const RuleWriter& rule, const SideDim& at) {
  const Numbers scale = rule.operand_dims(at.side.scale);
  return at.dim < scale.size() ? std::max<int64_t>(scale[at.dim], 1) : 1;
}

// One dimension of the dot, standing on one or both sides: its blocks, and the elements of a block.
void WriteBlocked(RuleWriter& rule, FactorKind kind, std::initializer_list<SideDim> sides,
                  int64_t result_dim) {
  const int64_t size = rule.operand_dims(sides.begin()->side.array)[sides.begin()->dim];
  int64_t blocks = 1;
  for (const SideDim& at : sides) blocks = std::max(blocks, BlocksOf(rule, at));
  if (size % blocks != 0) throw std::out_of_range("a scale is not for a whole block of elements");
  Placement block = rule.Add(blocks, kind);
  for (const SideDim& at : sides) {
    block.OnOperand(at.side.array, at.dim);
    if (BlocksOf(rule, at) == blocks) block.OnOperand(at.side.scale, at.dim);
  }
  if (result_dim >= 0) block.OnResult(result_dim);
  Placement element = rule.Add(size / blocks, kind);
  for (const SideDim& at : sides) element.OnOperand(at.side.array, at.dim, blocks);
  if (result_dim >= 0) element.OnResult(result_dim, blocks);
}

void WriteFree(RuleWriter& rule, const Side& side, int64_t* result_dim) {
  const int64_t rank = rule.operand_dims(side.array).size();
  for (int64_t d = 0; d < rank; ++d) {
    if (side.batch.Has(d) || side.contracting.Has(d)) continue;
    WriteBlocked(rule, FactorKind::kPass, {{side, d}}, (*result_dim)++);
  }
}

bool RightSideIsSecond(const RuleWriter& rule, const Numbers& lhs_summed,
                       const Numbers& rhs_summed) {
  const Numbers lhs = rule.operand_dims(0), second = rule.operand_dims(1);
  for (int64_t i = 0; i < lhs_summed.size(); ++i) {
    if (rhs_summed[i] >= second.size() || second[rhs_summed[i]] != lhs[lhs_summed[i]]) return false;
  }
  return true;
}

}  // namespace

void WriteScaledDot(RuleWriter& rule) {  // [R12]
  const DotAttributes& dot = rule.attributes().dot;
  const Numbers lhs_summed = rule.list(dot.lhs_contracting),
                rhs_summed = rule.list(dot.rhs_contracting);
  const bool second = RightSideIsSecond(rule, lhs_summed, rhs_summed);
  const Side lhs{0, second ? 2u : 1u, rule.list(dot.lhs_batch), lhs_summed};
  const Side rhs{second ? 1u : 2u, 3, rule.list(dot.rhs_batch), rhs_summed};
  int64_t result_dim = 0;
  for (int64_t i = 0; i < lhs.batch.size(); ++i) {
    WriteBlocked(rule, FactorKind::kPass, {{lhs, lhs.batch[i]}, {rhs, rhs.batch[i]}}, result_dim++);
  }
  WriteFree(rule, lhs, &result_dim);
  WriteFree(rule, rhs, &result_dim);
  for (int64_t i = 0; i < lhs_summed.size(); ++i) {
    WriteBlocked(rule, FactorKind::kReduced, {{lhs, lhs_summed[i]}, {rhs, rhs_summed[i]}}, -1);
  }
}

}  // namespace cfp
