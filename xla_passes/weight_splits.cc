#include "weight_splits.h"

#include <algorithm>

namespace cfp {
namespace {

constexpr size_t kRefineDepth = 48;  // ops looked at when a fused projection is taken apart

// [B2] The split of the result; granule 1 where it does not get through.
Split Through(const Rule& rule, int operand, const Split& split) {
  const int f = FactorCut(rule, operand, split);
  if (f < 0 || rule.factors[f].kind != FactorKind::kPass || rule.result_site(f).dim < 0) return {};
  return Carry(rule.factors[f], rule.operand_site(f, operand), rule.result_site(f), split);
}

}  // namespace

std::vector<FusedFactor> WeightSplits::Start(int root, int weight) {
  std::vector<FusedFactor> fused;
  const OpId op = contractions_.list[root].op;
  Rule rule;
  FillPartitionRule(graph_, op, &rule);
  for (int f = 0; weight >= 0 && f < static_cast<int>(rule.factors.size()); ++f) {
    const bool is_free =
        rule.operand_site(f, weight).dim >= 0 && rule.operand_site(f, 1 - weight).dim < 0;
    const Site& site = rule.result_site(f);
    if (!is_free || site.dim < 0 || rule.factors[f].kind != FactorKind::kPass) continue;
    const Split whole{site.dim, site.outer, rule.factors[f].size};
    const Split refined = Refine(op, whole);
    if (refined.outer != whole.outer) fused.push_back({root, f, refined.outer / whole.outer});
    at_[op].push_back({root, f, refined});
  }
  return fused;
}

// A projection that computes several things at once is sliced apart downstream: n = 3 x 64. The
// split then cuts the 64, inside the slices, because cutting the 3 would leave some devices with
// queries and others with keys.
Split WeightSplits::Refine(OpId root, const Split& whole) {
  std::vector<std::pair<OpId, Split>> front{{root, whole}};
  for (size_t next = 0; next < front.size() && next < kRefineDepth; ++next) {
    const auto [value, split] = front[next];
    for (OpId user : users_.of(value)) {
      if (contractions_.at[user] >= 0) continue;
      FillPartitionRule(graph_, user, &rule_);
      const Span<OpId> operands = graph_.operands(user);
      const int operand =
          static_cast<int>(std::find(operands.begin(), operands.end(), value) - operands.begin());
      const int f = FactorCut(rule_, operand, split);
      if (f < 0) continue;
      const bool sliced = graph_.ops[user].opcode == Opcode::kSlice &&
                          rule_.factors[f].kind == FactorKind::kReplicate;
      const int64_t parts = rule_.factors[f].size;
      if (sliced && whole.granule / parts > 1)
        return {whole.dim, whole.outer * parts, whole.granule / parts};
      const Split on = Through(rule_, operand, split);
      if (on.granule > 1) front.emplace_back(user, on);
    }
  }
  return whole;
}

void WeightSplits::Flow(OpId op, int block, const DisjointSets& blocks) {
  const Span<OpId> reads = graph_.Reads(op);
  std::vector<Ride>& result = at_[op];
  bool filled = false;
  for (int i = 0; i < static_cast<int>(reads.size()); ++i) {
    for (const Ride& ride : at_[reads[i]]) {
      if (!blocks.Same(ride.root, block)) continue;
      if (!filled) FillPartitionRule(graph_, op, &rule_);
      filled = true;
      const Split split = Through(rule_, i, ride.split);
      const bool known = std::any_of(result.begin(), result.end(), [&](const Ride& r) {
        return r.root == ride.root && r.factor == ride.factor;
      });
      if (split.granule > 1 && !known) result.push_back({ride.root, ride.factor, split});
    }
  }
}

Reach WeightSplits::Arriving(OpId contraction, int block, const DisjointSets& blocks) {
  Reach reach;
  FillPartitionRule(graph_, contraction, &rule_);
  const Span<OpId> operands = graph_.operands(contraction);
  for (int i = 0; i < 2; ++i) {
    for (const Ride& ride : at_[operands[i]]) {
      if (!blocks.Same(ride.root, block)) continue;
      const int f = FactorCut(rule_, i, ride.split);
      if (f >= 0 && rule_.factors[f].kind == FactorKind::kReduced) ++reach.contracted;
      if (Through(rule_, i, ride.split).granule > 1) ++reach.passing;
    }
  }
  return reach;
}

}  // namespace cfp
