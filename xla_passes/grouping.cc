#include "grouping.h"

#include <algorithm>

#include "disjoint_sets.h"
#include "exchanged_operand.h"

namespace cfp {
namespace {

class Grouper {
 public:
  Grouper(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions)
      : graph_(graph),
        numbers_(numbers),
        contractions_(contractions),
        blocks_(contractions.list.size()),
        splits_(graph, contractions) {
    const size_t ops = graph.ops.size(), count = contractions.list.size();
    out_.join.assign(count, Join::kRoot);
    out_.up.assign(ops, -1);
    out_.pending.assign(ops, false);
    consumer_.assign(ops, -1);
    out_.activation.assign(ops, false);
    depth_.resize(count);
  }

  Grouping Run() {
    const int count = static_cast<int>(contractions_.list.size());
    for (OpId op = 0; op < static_cast<OpId>(graph_.ops.size()); ++op) Visit(op);
    for (int c = 0; c < count; ++c) {
      const Contraction& contraction = contractions_.list[c];
      if (contraction.phase == Phase::kForward) continue;
      out_.join[c] = contraction.phase == Phase::kBackward ? Join::kGradient : Join::kRecomputed;
      blocks_.Unite(contraction.forward, c);
    }
    for (int c = 0; c < count; ++c) out_.block_of.push_back(blocks_.Find(c));
    return std::move(out_);
  }

 private:
  void Visit(OpId op) {
    if (numbers_.of[op] != op) {
      CopyFrom(numbers_.of[op], op);
    } else if (const int c = contractions_.at[op]; c >= 0) {
      out_.up[op] = c;
      out_.activation[op] = true;
      for (OpId operand : graph_.operands(op)) {
        if (out_.up[operand] >= 0) depth_[c] = std::max(depth_[c], depth_[out_.up[operand]] + 1);
      }
      if (contractions_.list[c].phase == Phase::kForward) VisitContraction(c);
    } else {
      VisitFlow(op);
    }
  }

  void CopyFrom(OpId first, OpId again) {
    out_.up[again] = out_.up[first];
    out_.pending[again] = out_.pending[first];
    consumer_[again] = consumer_[first];
    out_.activation[again] = out_.activation[first];
    splits_.Copy(first, again);
  }

  // ---- ops between contractions

  void VisitFlow(OpId op) {
    const Op& o = graph_.ops[op];
    int up = -1;
    bool activation =
        o.opcode == Opcode::kCarry && IsFloat(o.shape.dtype) && !graph_.dims(op).empty();
    for (OpId operand : graph_.Reads(op)) {
      up = Later(up, out_.up[operand], IsElementwise(o.opcode));
      activation = activation || out_.activation[operand];
    }
    out_.up[op] = up;
    out_.activation[op] = activation;
    out_.pending[op] = IsPending(op, up);
    if (up >= 0 && !contractions_.IsBackward(op)) splits_.Flow(op, up, blocks_);
  }

  // [B6] Of two contractions upstream the later one owns what joins them; siblings that read the
  // same input and meet in an elementwise op become one block. Without a path between them the one
  // deeper in loops is the later, then the one with more contractions behind it: scores, not the
  // position bias added to them.
  int Later(int a, int b, bool elementwise) {
    if (a < 0 || b < 0) return std::max(a, b);
    if (a == b) return a;
    int early = std::min(a, b), late = std::max(a, b);
    if (blocks_.Same(a, b) || HasPath(early, late)) return late;
    if (Depth(early) > Depth(late)) std::swap(early, late);
    if (!elementwise) return late;
    if (ReadSameInput(early, late)) {
      blocks_.Unite(early, late);
      if (out_.join[late] == Join::kRoot) out_.join[late] = Join::kSibling;
    }
    return late;
  }

  std::pair<int, int> Depth(int contraction) const {
    int loops = 0;
    for (int r = graph_.ops[contractions_.list[contraction].op].region; r > 0;
         r = graph_.regions[r].parent)
      ++loops;
    return {loops, depth_[contraction]};
  }

  bool HasPath(int early, int late) const {
    return contractions_.ancestors.Contains(contractions_.list[late].op, early);
  }

  bool ReadSameInput(int a, int b) const {
    if (contractions_.list[a].phase != Phase::kForward ||
        contractions_.list[b].phase != Phase::kForward)
      return false;
    for (OpId x : graph_.operands(contractions_.list[a].op)) {
      if (!out_.activation[x]) continue;
      for (OpId y : graph_.operands(contractions_.list[b].op)) {
        if (out_.activation[y] && BaseOf(x) == BaseOf(y)) return true;
      }
    }
    return false;
  }

  OpId BaseOf(OpId op) const { return Peel(graph_, numbers_, op).base; }

  // [B10] A reduction over activations starts a normalisation; what joins it stays one until a
  // contraction reads it, or a later contraction's result joins (a residual).
  bool IsPending(OpId op, int up) const {
    const Opcode opcode = graph_.ops[op].opcode;
    if (up < 0) return false;
    const bool reduces = opcode == Opcode::kReduce || opcode == Opcode::kReduceWindow ||
                         opcode == Opcode::kSort || opcode == Opcode::kTopK;
    if (reduces) return true;
    for (OpId operand : graph_.operands(op)) {
      if (out_.pending[operand] && out_.up[operand] == up) return true;
    }
    return false;
  }

  // ---- contractions

  void VisitContraction(int c) {
    const OpId op = contractions_.list[c].op;
    const Span<OpId> operands = graph_.operands(op);
    const bool both = !contractions_.list[c].is_lookup && out_.activation[operands[0]] &&
                      out_.activation[operands[1]];
    if (both && Absorb(c)) {
      absorbed_.push_back(c);
      splits_.Flow(op, c, blocks_);
    } else {
      const int weight = WeightOperand(graph_, contractions_, out_, c);
      for (const FusedFactor& fused : splits_.Start(c, weight)) out_.fused.push_back(fused);
    }
    for (OpId operand : operands) Consume(operand, c);
  }

  // [B5] True if the contraction joined a block; sets why.
  bool Absorb(int c) {
    const Span<OpId> operands = graph_.operands(contractions_.list[c].op);
    const int left = OwnerOf(operands[0]), right = OwnerOf(operands[1]);
    if (left < 0 || right < 0) return false;
    if (const int d = ExchangedPartner(c, left, right); d >= 0)
      return JoinBlock(c, d, Join::kExchanged);
    if (blocks_.Same(left, right) || (!HasPath(left, right) && !HasPath(right, left))) {
      if (!CanUnite(c, left, right)) return false;
      blocks_.Unite(left, right);
      return JoinBlock(c, left, Join::kUnited);
    }
    for (int member : {std::max(left, right), std::min(left, right)}) {
      const Reach reach = splits_.Arriving(contractions_.list[c].op, member, blocks_);
      if (reach.passing > 0) return JoinBlock(c, member, Join::kFollows);
    }
    return false;
  }

  bool JoinBlock(int c, int member, Join join) {
    blocks_.Unite(c, member);
    out_.join[c] = join;
    return true;
  }

  // The contraction whose block the value belongs to: the one that already reads it, if it is a
  // normalisation.
  int OwnerOf(OpId op) const {
    OpId seen = op;
    while (out_.pending[seen] && consumer_[seen] < 0 && IsView(graph_.ops[seen].opcode))
      seen = graph_.operands(seen)[0];
    return out_.pending[seen] && consumer_[seen] >= 0 ? consumer_[seen] : out_.up[op];
  }

  bool CanUnite(int c, int left, int right) {
    Reach reach = splits_.Arriving(contractions_.list[c].op, left, blocks_);
    if (!blocks_.Same(left, right)) {
      const Reach other = splits_.Arriving(contractions_.list[c].op, right, blocks_);
      reach.passing += other.passing;
      reach.contracted += other.contracted;
    }
    return reach.passing > 0 || reach.contracted == 0;
  }

  // [B5.1] An absorbed contraction of either block that holds the same array, roles exchanged:
  // expert outputs are combined by the mask that dispatched their inputs.
  int ExchangedPartner(int c, int left, int right) const {
    for (int d : absorbed_) {
      if (!blocks_.Same(d, left) && !blocks_.Same(d, right)) continue;
      const OpId op = contractions_.list[c].op, other = contractions_.list[d].op;
      if (ExchangeAnOperand(graph_, numbers_, out_.activation, op, other)) return d;
    }
    return -1;
  }

  void Consume(OpId op, int c) {
    std::vector<OpId> stack{numbers_.of[op]};
    while (!stack.empty()) {
      const OpId value = stack.back();
      stack.pop_back();
      if (!out_.pending[value] || consumer_[value] >= 0) continue;
      consumer_[value] = c;
      for (OpId operand : graph_.operands(value)) stack.push_back(numbers_.of[operand]);
    }
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Contractions& contractions_;
  DisjointSets blocks_;  // of contractions
  WeightSplits splits_;
  Grouping out_;
  std::vector<int> consumer_;  // per pending op: first contraction that reads it, -1 for none
  std::vector<int> depth_;     // per contraction: how many stand behind it, along `up`
  std::vector<int> absorbed_;  // contractions that joined a block
};

}  // namespace

std::string_view JoinLabel(Join join) {
  switch (join) {
    case Join::kRoot:
      return "B5";
    case Join::kExchanged:
      return "B5.1";
    case Join::kUnited:
      return "B5.2";
    case Join::kFollows:
      return "B5.3";
    case Join::kSibling:
      return "B6";
    case Join::kGradient:
      return "B9";
    case Join::kRecomputed:
      return "B9";
  }
  return "";
}

std::string_view JoinText(Join join) {
  switch (join) {
    case Join::kRoot:
      return "root";
    case Join::kExchanged:
      return "reuses an absorbed operand, roles exchanged";
    case Join::kUnited:
      return "unites its producers";
    case Join::kFollows:
      return "follows one producer";
    case Join::kSibling:
      return "sibling with the same input";
    case Join::kGradient:
      return "gradient";
    case Join::kRecomputed:
      return "recomputed";
  }
  return "";
}

int WeightOperand(const Graph& graph, const Contractions& contractions, const Grouping& grouping,
                  int contraction) {
  const Contraction& c = contractions.list[contraction];
  if (c.is_lookup) return 0;
  const Span<OpId> operands = graph.operands(c.op);
  const bool lhs = grouping.activation[operands[0]], rhs = grouping.activation[operands[1]];
  if (lhs && rhs) return -1;
  if (lhs != rhs) return lhs ? 1 : 0;
  // Both come from inputs: the one that is trained has a gradient.
  return c.gradients == 1 ? 0 : 1;
}

Grouping GroupContractions(const Graph& graph, const ValueNumbers& numbers,
                           const Contractions& contractions) {
  return Grouper(graph, numbers, contractions).Run();
}

}  // namespace cfp
