#include "grouping.h"

#include <algorithm>
#include <numeric>

#include "split.h"
#include "users.h"

namespace cfp {
namespace {

constexpr int kRefineDepth = 48;  // ops looked at when a fused projection is taken apart
constexpr int kChainLength = 32;  // same-shape ops followed when two masks are compared

// A split that started at free factor `factor` of the weight of contraction `root`.
struct Ride {
  int root = -1;
  int factor = -1;
  Split split;
};

class Grouper {
 public:
  Grouper(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions)
      : graph_(graph), numbers_(numbers), contractions_(contractions), users_(graph) {
    const size_t ops = graph.ops.size(), count = contractions.list.size();
    out_.block_of.resize(count);
    std::iota(out_.block_of.begin(), out_.block_of.end(), 0);
    out_.join.assign(count, Join::kRoot);
    out_.up.assign(ops, -1);
    out_.pending.assign(ops, false);
    out_.consumer.assign(ops, -1);
    out_.activation.assign(ops, false);
    rides_.resize(ops);
    absorbed_.resize(count);
    depth_.resize(count);
  }

  Grouping Run() {
    for (OpId op = 0; op < static_cast<OpId>(graph_.ops.size()); ++op) Visit(op);
    for (size_t c = 0; c < out_.block_of.size(); ++c) {
      const Contraction& contraction = contractions_.list[c];
      if (contraction.phase == Phase::kForward) continue;
      out_.join[c] = contraction.phase == Phase::kBackward ? Join::kGradient : Join::kRecomputed;
      Unite(contraction.forward, static_cast<int>(c));
    }
    for (size_t c = 0; c < out_.block_of.size(); ++c) out_.block_of[c] = Block(static_cast<int>(c));
    return std::move(out_);
  }

 private:
  int Block(int contraction) {
    int& parent = out_.block_of[contraction];
    while (out_.block_of[parent] != parent) parent = out_.block_of[parent];
    return parent;
  }

  void Unite(int a, int b) {
    a = Block(a), b = Block(b);
    if (a == b) return;
    const int keep = std::min(a, b), gone = std::max(a, b);
    out_.block_of[gone] = keep;
    absorbed_[keep].insert(absorbed_[keep].end(), absorbed_[gone].begin(), absorbed_[gone].end());
    absorbed_[gone].clear();
  }

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
    out_.consumer[again] = out_.consumer[first];
    out_.activation[again] = out_.activation[first];
    rides_[again] = rides_[first];
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
    if (up >= 0 && !contractions_.IsBackward(op)) rides_[op] = RideOn(op, up);
  }

  // [B6] Of two contractions upstream the later one owns what joins them; siblings that read the
  // same input and meet in an elementwise op become one block. Without a path between them the one
  // deeper in loops is the later, then the one with more contractions behind it: scores, not the
  // position bias added to them.
  int Later(int a, int b, bool elementwise) {
    if (a < 0 || b < 0) return std::max(a, b);
    if (a == b) return a;
    int early = std::min(a, b), late = std::max(a, b);
    if (Block(a) == Block(b) || HasPath(early, late)) return late;
    if (Depth(early) > Depth(late)) std::swap(early, late);
    if (!elementwise) return late;
    if (ReadSameInput(early, late)) {
      Unite(early, late);
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

  // [B2] The weight splits of this value's block that come through the op.
  std::vector<Ride> RideOn(OpId op, int up) {
    std::vector<Ride> result;
    bool filled = false;
    const Span<OpId> operands = graph_.Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      for (const Ride& ride : rides_[operands[i]]) {
        if (Block(ride.root) != Block(up)) continue;
        if (!filled) FillPartitionRule(graph_, op, &rule_);
        filled = true;
        AddRide(ride, Through(rule_, static_cast<int>(i), ride.split), &result);
      }
    }
    return result;
  }

  static Split Through(const Rule& rule, int operand, const Split& split) {
    const int f = FactorCut(rule, operand, split);
    if (f < 0 || rule.factors[f].kind != FactorKind::kPass || rule.result_site(f).dim < 0)
      return {};
    return Carry(rule.factors[f], rule.operand_site(f, operand), rule.result_site(f), split);
  }

  static void AddRide(const Ride& ride, const Split& split, std::vector<Ride>* rides) {
    if (split.granule <= 1) return;
    for (const Ride& r : *rides) {
      if (r.root == ride.root && r.factor == ride.factor) return;
    }
    rides->push_back({ride.root, ride.factor, split});
  }

  // ---- contractions

  void VisitContraction(int c) {
    const OpId op = contractions_.list[c].op;
    const Span<OpId> operands = graph_.operands(op);
    FillPartitionRule(graph_, op, &rule_);
    const bool both = !contractions_.list[c].is_lookup && out_.activation[operands[0]] &&
                      out_.activation[operands[1]];
    if (both && Absorb(c)) {
      absorbed_[Block(c)].push_back(c);
      FillPartitionRule(graph_, op, &rule_);
      rides_[op] = RideOn(op, c);
    } else {
      SeedWeightSplits(c);
    }
    for (OpId operand : operands) Consume(operand, c);
  }

  // [B3] The classes that start at the free dimensions of the weight.
  void SeedWeightSplits(int c) {
    const OpId op = contractions_.list[c].op;
    const int weight = WeightOperand(graph_, contractions_, out_, c);
    for (size_t f = 0; weight >= 0 && f < rule_.factors.size(); ++f) {
      const bool is_free =
          rule_.operand_site(f, weight).dim >= 0 && rule_.operand_site(f, 1 - weight).dim < 0;
      const Site& site = rule_.result_site(f);
      if (!is_free || site.dim < 0 || rule_.factors[f].kind != FactorKind::kPass) continue;
      const Split whole{site.dim, site.outer, rule_.factors[f].size};
      const Split refined = Refine(op, whole);
      if (refined.outer != whole.outer)
        out_.fused.push_back({c, static_cast<int>(f), refined.outer / whole.outer});
      rides_[op].push_back({c, static_cast<int>(f), refined});
    }
  }

  // A projection that computes several things at once is sliced apart downstream: n = 3 x 64. The
  // split then cuts the 64, inside the slices, because cutting the 3 would leave some devices with
  // queries and others with keys.
  Split Refine(OpId op, const Split& whole) {
    std::vector<std::pair<OpId, Split>> front{{op, whole}};
    Rule rule;
    for (size_t next = 0; next < front.size() && next < kRefineDepth; ++next) {
      const auto [value, split] = front[next];
      for (OpId user : users_.of(value)) {
        if (contractions_.at[user] >= 0) continue;
        FillPartitionRule(graph_, user, &rule);
        const Span<OpId> operands = graph_.operands(user);
        const int operand =
            static_cast<int>(std::find(operands.begin(), operands.end(), value) - operands.begin());
        const int f = FactorCut(rule, operand, split);
        if (f < 0) continue;
        if (graph_.ops[user].opcode == Opcode::kSlice &&
            rule.factors[f].kind == FactorKind::kReplicate) {
          const int64_t inner = whole.granule / rule.factors[f].size;
          if (inner > 1) return {whole.dim, whole.outer * rule.factors[f].size, inner};
        }
        const Split on = Through(rule, operand, split);
        if (on.granule > 1) front.emplace_back(user, on);
      }
    }
    return whole;
  }

  // [B5] True if the contraction joined a block; sets why.
  bool Absorb(int c) {
    const Span<OpId> operands = graph_.operands(contractions_.list[c].op);
    const int left = OwnerOf(operands[0]), right = OwnerOf(operands[1]);
    if (left < 0 || right < 0) return false;
    if (const int d = SwappedPartner(c, left, right); d >= 0)
      return JoinBlock(c, d, Join::kSwapped);
    if (Block(left) == Block(right) || (!HasPath(left, right) && !HasPath(right, left))) {
      if (!CanUnite(c, left, right)) return false;
      Unite(left, right);
      return JoinBlock(c, left, Join::kUnited);
    }
    const int late = std::max(left, right), early = std::min(left, right);
    if (Count(c, late).passing > 0) return JoinBlock(c, late, Join::kFollows);
    if (Count(c, early).passing > 0) return JoinBlock(c, early, Join::kFollows);
    return false;
  }

  bool JoinBlock(int c, int member, Join join) {
    Unite(c, member);
    out_.join[c] = join;
    return true;
  }

  // The contraction whose block the value belongs to: the one that already reads it, if it is a
  // normalisation.
  int OwnerOf(OpId op) const {
    OpId seen = op;
    while (out_.pending[seen] && out_.consumer[seen] < 0 && IsView(seen))
      seen = graph_.operands(seen)[0];
    return out_.pending[seen] && out_.consumer[seen] >= 0 ? out_.consumer[seen] : out_.up[op];
  }

  bool IsView(OpId op) const {
    const Opcode opcode = graph_.ops[op].opcode;
    return opcode == Opcode::kReshape || opcode == Opcode::kTranspose || opcode == Opcode::kConvert;
  }

  struct Reach {
    int passing = 0;
    int contracted = 0;
  };

  // The weight splits of one block that arrive at contraction c (whose rule is in rule_).
  Reach Count(int c, int member) {
    Reach reach;
    const Span<OpId> operands = graph_.operands(contractions_.list[c].op);
    for (int i = 0; i < 2; ++i) {
      for (const Ride& ride : rides_[operands[i]]) {
        if (Block(ride.root) != Block(member)) continue;
        const int f = FactorCut(rule_, i, ride.split);
        if (f < 0) continue;
        if (rule_.factors[f].kind == FactorKind::kReduced) ++reach.contracted;
        if (Through(rule_, i, ride.split).granule > 1) ++reach.passing;
      }
    }
    return reach;
  }

  bool CanUnite(int c, int left, int right) {
    Reach reach = Count(c, left);
    if (Block(left) != Block(right)) {
      const Reach other = Count(c, right);
      reach.passing += other.passing;
      reach.contracted += other.contracted;
    }
    if (reach.passing > 0 && reach.contracted > 0) {
      out_.dropped.push_back("contraction " + std::to_string(c) + " contracts " +
                             std::to_string(reach.contracted) + " weight split(s) and passes " +
                             std::to_string(reach.passing));
    }
    return reach.passing > 0 || reach.contracted == 0;
  }

  // [B5.1] An absorbed contraction of either block that holds the same array with free and
  // contracted dimensions exchanged: expert outputs are combined by the mask that dispatched their
  // inputs.
  int SwappedPartner(int c, int left, int right) {
    for (int member : {Block(left), Block(right)}) {
      for (int d : absorbed_[member]) {
        if (SwapsAnOperand(c, d)) return d;
      }
    }
    return -1;
  }

  bool SwapsAnOperand(int c, int d) {
    Rule other;
    FillPartitionRule(graph_, contractions_.list[d].op, &other);
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 2; ++j) {
        const OpId x = graph_.operands(contractions_.list[c].op)[i],
                   y = graph_.operands(contractions_.list[d].op)[j];
        const std::vector<Role> roles = OperandRoles(graph_, contractions_.list[c].op, rule_, i);
        if (Swapped(roles, OperandRoles(graph_, contractions_.list[d].op, other, j)) &&
            Related(x, y))
          return true;
      }
    }
    return false;
  }

  static bool Swapped(const std::vector<Role>& a, const std::vector<Role>& b) {
    if (a.size() != b.size()) return false;
    bool exchanged = false;
    for (size_t i = 0; i < a.size(); ++i) {
      const bool exchange = (a[i] == Role::kFree && b[i] == Role::kContracted) ||
                            (a[i] == Role::kContracted && b[i] == Role::kFree);
      if (!exchange && a[i] != b[i]) return false;
      exchanged = exchanged || exchange;
    }
    return exchanged;
  }

  // One array up to elementwise ops of the same shape: a mask, its weights, its cast.
  bool Related(OpId x, OpId y) const {
    const std::vector<OpId> xs = Chain(x), ys = Chain(y);
    return std::any_of(xs.begin(), xs.end(),
                       [&](OpId v) { return std::find(ys.begin(), ys.end(), v) != ys.end(); });
  }

  std::vector<OpId> Chain(OpId op) const {
    std::vector<OpId> chain{numbers_.of[op]};
    const Span<int64_t> dims = graph_.dims(op);
    for (size_t i = 0; i < chain.size() && chain.size() < kChainLength; ++i) {
      if (!IsElementwise(graph_.ops[chain[i]].opcode)) continue;
      for (OpId operand : graph_.operands(chain[i])) {
        const Span<int64_t> other = graph_.dims(operand);
        const bool alike = std::equal(dims.begin(), dims.end(), other.begin(), other.end());
        if (alike && out_.activation[operand]) chain.push_back(numbers_.of[operand]);
      }
    }
    return chain;
  }

  void Consume(OpId op, int c) {
    std::vector<OpId> stack{numbers_.of[op]};
    while (!stack.empty()) {
      const OpId value = stack.back();
      stack.pop_back();
      if (!out_.pending[value] || out_.consumer[value] >= 0) continue;
      out_.consumer[value] = c;
      for (OpId operand : graph_.operands(value)) stack.push_back(numbers_.of[operand]);
    }
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Contractions& contractions_;
  const Users users_;
  Grouping out_;
  Rule rule_;
  std::vector<std::vector<Ride>> rides_;    // per op
  std::vector<int> depth_;                  // per contraction: how many stand behind it, along `up`
  std::vector<std::vector<int>> absorbed_;  // per block: contractions that joined it
};

}  // namespace

std::string_view JoinLabel(Join join) {
  switch (join) {
    case Join::kRoot:
      return "B5";
    case Join::kSwapped:
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
    case Join::kSwapped:
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
