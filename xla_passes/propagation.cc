#include "propagation.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

namespace cfp {
namespace {

struct State {
  Split split;  // dim -1: whole on every device
  bool forked = false;
  bool IsSplit() const { return split.dim >= 0; }
};

// The factor an op goes by, with the operand that says so (-1: the class starts here).
struct Choice {
  int factor = -1;
  int operand = -1;
  Split split;  // at that operand
  int64_t within = 1;
  bool forked = false;
};

class Propagator {
 public:
  Propagator(const BlockView& view, const std::vector<Seed>& seeds, int variant)
      : view_(view), variant_(variant) {
    strategy_.seeds = seeds;
    strategy_.granule = 0;
    for (const Placed& wanted : WantedValues(view, seeds)) {
      const bool is_member = view.RelationOf(wanted.value) == Relation::kMember;
      (is_member ? wanted_ : inputs_)[wanted.value] = {wanted.split, false};
    }
  }

  Strategy Run() {
    for (OpId op : view_.ops()) Visit(op);
    if (strategy_.granule == 0) strategy_.granule = 1;
    return std::move(strategy_);
  }

 private:
  const Graph& graph() const { return view_.graph(); }

  State StateOf(OpId value) const {
    const auto member = members_.find(value);
    if (member != members_.end()) return member->second;
    const auto input = inputs_.find(value);
    return input == inputs_.end() ? State{} : input->second;
  }

  void Visit(OpId op) {
    const Rule& rule = view_.rule(op);
    const Choice choice = Choose(op, rule);
    if (choice.factor < 0) return;
    const State result = Apply(op, rule, choice);
    if (!result.IsSplit()) return;
    members_[op] = result;
    strategy_.members.push_back({op, kNoOp, result.split});
  }

  Choice Choose(OpId op, const Rule& rule) {
    Choice best;
    const Span<OpId> operands = graph().Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const State state = StateOf(view_.number(operands[i]));
      if (!state.IsSplit()) continue;
      const int f = FactorCut(rule, static_cast<int>(i), state.split);
      if (f < 0) continue;
      const int64_t within = state.split.outer / rule.operand_site(f, i).outer;
      const Choice other{f, static_cast<int>(i), state.split, within, state.forked};
      best = best.factor < 0 ? other : Prefer(op, best, other);
    }
    if (best.factor < 0) best = SeededAt(op);
    return best.factor < 0 ? StartedAt(op, rule) : best;
  }

  // A member that later members want split, and that can be made so from nothing: a broadcast, a
  // one-hot.
  Choice StartedAt(OpId op, const Rule& rule) const {
    const auto wanted = wanted_.find(op);
    if (wanted == wanted_.end()) return {};
    const Split& split = wanted->second.split;
    const int f = ResultFactorCut(rule, split);
    if (f < 0 || rule.factors[f].kind != FactorKind::kPass) return {};
    const Span<OpId> operands = graph().Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const bool has_it = rule.operand_site(f, i).dim >= 0;
      if (has_it && view_.RelationOf(view_.number(operands[i])) != Relation::kSource) return {};
    }
    return {f, -1, {}, split.outer / rule.result_site(f).outer, false};
  }

  Choice Prefer(OpId op, const Choice& first, const Choice& second) {
    if (first.factor == second.factor) {
      Choice both = first;
      both.forked = first.forked || second.forked;
      return both;
    }
    if (first.forked != second.forked) return first.forked ? first : second;
    if (first.forked || view_.contraction(op) < 0) return first;
    if (strategy_.forked_at == kNoOp) {
      strategy_.forked_at = op;
      strategy_.variant = variant_;
    }
    Choice kept = variant_ == 0 ? first : second;
    kept.forked = true;
    return kept;
  }

  Choice SeededAt(OpId op) const {
    const int c = view_.contraction(op);
    for (const Seed& seed : strategy_.seeds) {
      if (c < 0 || seed.contraction != c) continue;
      return {seed.factor, -1, {}, seed.within, false};
    }
    return {};
  }

  // The result's state; notes what the operands owe.
  State Apply(OpId op, const Rule& rule, const Choice& choice) {
    const Factor& factor = rule.factors[choice.factor];
    const Site& to = rule.result_site(choice.factor);
    Split split = SplitAt(factor, to, choice.within);
    if (choice.operand >= 0) {
      split = Carry(factor, rule.operand_site(choice.factor, choice.operand), to, choice.split);
    }
    if (!CanBeCut(factor.kind) || split.granule <= 1) {
      GatherSplitOperands(op);
      return {};
    }
    strategy_.granule = std::gcd(strategy_.granule, split.granule);
    strategy_.works.push_back({op, {choice.factor, choice.within}});
    AlignOperands(op, rule, choice, split.granule);
    CountFlops(op);
    if (factor.kind == FactorKind::kHalo) {  // a window slides over its first operand
      Note(CollectiveKind::kHalo, graph().Reads(op)[std::max(choice.operand, 0)], op);
    }
    if (factor.kind == FactorKind::kReduced) {
      const bool sums = graph().ops[op].combiner != Combiner::kOther;
      Note(sums ? CollectiveKind::kAllReduce : CollectiveKind::kGatherPartials, op, op);
    }
    if (to.dim < 0 || factor.kind == FactorKind::kReduced) return {};
    return {split, choice.forked};
  }

  // Operands that are split otherwise are gathered.
  void AlignOperands(OpId op, const Rule& rule, const Choice& choice, int64_t granule) {
    const Span<OpId> operands = graph().Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const OpId value = view_.number(operands[i]);
      const Site& site = rule.operand_site(choice.factor, i);
      const State state = StateOf(value);
      if (state.IsSplit()) {
        if (FactorCut(rule, static_cast<int>(i), state.split) != choice.factor) {
          Note(CollectiveKind::kAllGather, value, op);
        }
        PlaceInput(value, op, state.split);
      } else if (site.dim >= 0) {
        Split split = SplitAt(rule.factors[choice.factor], site, choice.within);
        split.granule = granule;
        PlaceInput(value, op, split);
      }
    }
  }

  // An input that nothing in the block has placed yet takes the split for this reader alone.
  void PlaceInput(OpId value, OpId reader, const Split& split) {
    if (view_.RelationOf(value) == Relation::kMember || graph().dims(value).empty()) return;
    strategy_.inputs.push_back({value, reader, split});
  }

  void GatherSplitOperands(OpId op) {
    for (OpId operand : graph().Reads(op)) {
      const OpId value = view_.number(operand);
      const State state = StateOf(value);
      if (!state.IsSplit()) continue;
      Note(CollectiveKind::kAllGather, value, op);
      PlaceInput(value, op, state.split);
    }
  }

  void Note(CollectiveKind kind, OpId value, OpId reader) {
    for (const Collective& c : strategy_.collectives) {
      if (c.kind == kind && c.value == view_.number(value)) return;
    }
    strategy_.collectives.push_back({kind, view_.number(value), reader, view_.SizeBytes(value)});
  }

  void CountFlops(OpId op) {
    const int c = view_.contraction(op);
    if (c >= 0) strategy_.split_flops += view_.at(c).flops;
  }

  const BlockView& view_;
  const int variant_;
  std::unordered_map<OpId, State> members_;
  std::unordered_map<OpId, State> inputs_;
  std::unordered_map<OpId, State> wanted_;  // members
  Strategy strategy_;
};

void WalkBack(const BlockView& view, OpId value, const Split& split, std::vector<Placed>* wanted,
              std::unordered_set<OpId>* seen) {
  std::vector<std::pair<OpId, Split>> stack{{view.number(value), split}};
  while (!stack.empty()) {
    const auto [at, cut] = stack.back();
    stack.pop_back();
    if (cut.granule <= 1 || !seen->insert(at).second) continue;
    const Relation relation = view.RelationOf(at);
    if (relation != Relation::kSource) wanted->push_back({at, kNoOp, cut});
    if (relation != Relation::kMember || view.contraction(at) >= 0) continue;
    const Rule& rule = view.rule(at);
    const int f = ResultFactorCut(rule, cut);
    if (f < 0 || rule.factors[f].kind != FactorKind::kPass) continue;
    const Span<OpId> operands = view.graph().Reads(at);
    for (size_t i = 0; i < operands.size(); ++i) {
      const Site& site = rule.operand_site(f, i);
      if (site.dim < 0) continue;
      stack.emplace_back(view.number(operands[i]),
                         Carry(rule.factors[f], rule.result_site(f), site, cut));
    }
  }
}

}  // namespace

std::vector<Placed> WantedValues(const BlockView& view, const std::vector<Seed>& seeds) {
  std::vector<Placed> wanted;
  std::unordered_set<OpId> seen;
  for (const Seed& seed : seeds) {
    const OpId op = view.at(seed.contraction).op;
    const Rule& rule = view.rule(op);
    const Span<OpId> operands = view.graph().Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const Site& site = rule.operand_site(seed.factor, i);
      if (site.dim < 0 || view.RelationOf(view.number(operands[i])) == Relation::kSource) continue;
      WalkBack(view, operands[i], SplitAt(rule.factors[seed.factor], site, seed.within), &wanted,
               &seen);
    }
  }
  return wanted;
}

Strategy PropagateClass(const BlockView& view, const std::vector<Seed>& seeds, int variant) {
  return Propagator(view, seeds, variant).Run();
}

}  // namespace cfp
