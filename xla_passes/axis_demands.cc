#include "axis_demands.h"

#include <algorithm>

namespace cfp {
namespace {

class BackwardWalk {
 public:
  BackwardWalk(const Analysis& analysis, const ForwardWorks& works)
      : analysis_(analysis), graph_(analysis.graph), works_(works) {
    demands_.asked.resize(graph_.ops.size());
    demands_.needed_whole.resize(graph_.ops.size());
  }

  void AskForResults(const std::vector<Split>& stored, const std::vector<int>& continues) {
    for (size_t r = 0; r < graph_.results.size() && r < continues.size(); ++r) {
      if (continues[r] >= 0) Ask(graph_.results[r], Place(graph_.results[r], stored[continues[r]]));
    }
  }

  Demands Run() {
    for (OpId op = static_cast<OpId>(graph_.ops.size()) - 1; op >= 0; --op) Visit(op);
    return std::move(demands_);
  }

 private:
  void Visit(OpId op) {
    const Opcode opcode = graph_.ops[op].opcode;
    if (opcode == Opcode::kLoop || opcode == Opcode::kBranch) return;
    if (opcode == Opcode::kCarry) {
      const Split asked = demands_.asked[op];
      if (asked.dim >= 0) Ask(graph_.operands(op)[0], asked);
      return;
    }
    const Work& work = works_.of[op];
    const bool updates = analysis_.blocks.owner[op].kind == OwnerKind::kOptimizer;
    if (updates && demands_.PartOf(op).dim >= 0) {  // lies as it will be stored
      PassOn(op);
    } else if (work.factor >= 0) {
      AskFor(op, work);
    } else if (works_.decided[op] || (!updates && demands_.needed_whole[op] && KeepsAll(op))) {
      for (OpId operand : graph_.Reads(op)) demands_.needed_whole[operand] = true;
    } else {
      PassOn(op);
    }
  }

  // Whether a whole result takes whole operands; that of a sum does not, parts add up to it.
  bool KeepsAll(OpId op) const {
    const std::vector<Factor>& factors = analysis_.rules.of(op).factors;
    return std::all_of(factors.begin(), factors.end(),
                       [](const Factor& one) { return one.kind == FactorKind::kPass; });
  }

  // A place as a split that can be cut as finely as the value allows.
  Split Place(OpId value, Split split) const {
    if (split.dim >= 0) split.granule = graph_.dims(value)[split.dim] / split.outer;
    return split;
  }

  void AskFor(OpId op, const Work& work) {
    const Rule& rule = analysis_.rules.of(op);
    const Span<OpId> operands = graph_.Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const Site& site = rule.operand_site(work.factor, i);
      if (site.dim >= 0) {
        Ask(operands[i], SplitAt(rule.factors[work.factor], site, work.within));
      } else {
        demands_.needed_whole[operands[i]] = true;
      }
    }
  }

  // An op that could as well be cut asks for what it is asked for.
  void PassOn(OpId op) {
    const Rule& rule = analysis_.rules.of(op);
    const Split asked = demands_.asked[op];
    const int f = asked.dim < 0 ? -1 : ResultFactorCut(rule, asked);
    if (f < 0 || rule.factors[f].kind != FactorKind::kPass) return;
    const Span<OpId> operands = graph_.Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const Site& site = rule.operand_site(f, i);
      if (site.dim < 0) {
        demands_.needed_whole[operands[i]] = true;
        continue;
      }
      const Split part = Carry(rule.factors[f], rule.result_site(f), site, asked);
      if (part.granule > 1) Ask(operands[i], part);
    }
  }

  void Ask(OpId value, const Split& split) {
    if (split.dim >= 0) {
      demands_.asked[value] = split;
    } else {
      demands_.needed_whole[value] = true;
    }
  }

  const Analysis& analysis_;
  const Graph& graph_;
  const ForwardWorks& works_;
  Demands demands_;
};

}  // namespace

Demands FindDemands(const Analysis& analysis, const ForwardWorks& works,
                    const std::vector<Split>& stored, const std::vector<int>& continues) {
  BackwardWalk walk(analysis, works);
  walk.AskForResults(stored, continues);
  return walk.Run();
}

}  // namespace cfp
