#include "axis_layout.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "axis_checks.h"
#include "axis_demands.h"
#include "gradient_work.h"
#include "shape_size.h"

namespace cfp {
namespace {

constexpr int kMaxSweeps = 4;  // until loops agree with themselves

bool IsCut(const Split& split) { return split.dim >= 0; }

bool SameCut(const Split& a, const Split& b) {
  return a.dim == b.dim && (!IsCut(a) || a.outer == b.outer);
}

class AxisWalk {
 public:
  // Lays out the axis that comes after `earlier`; `works` holds what strategies decide, per axis.
  AxisWalk(const Analysis& analysis, const std::vector<Axis>& axes,
           const std::vector<ForwardWorks>& works, const std::vector<int>& continues,
           const std::vector<AxisLayout>& earlier)
      : analysis_(analysis),
        graph_(analysis.graph),
        axes_(axes),
        decided_(works),
        continues_(continues),
        earlier_(earlier),
        axis_(axes[earlier.size()]),
        works_(works[earlier.size()]),
        stored_(axis_.stored),
        carried_(graph_.ops.size()) {
    stored_.resize(graph_.parameters.size());
    layout_.of.resize(graph_.ops.size());
    becomes_state_.resize(graph_.ops.size());
    for (const OpId next : graph_.next) {
      if (next != kNoOp) becomes_state_[next] = true;
    }
    parameter_number_.assign(graph_.ops.size(), -1);
    for (size_t p = 0; p < graph_.parameters.size(); ++p) {
      if (graph_.parameters[p] != kNoOp) parameter_number_[graph_.parameters[p]] = p;
    }
    obliging_.resize(graph_.ops.size());
  }

  AxisLayout Run() {
    Settle();
    AskReaders();
    if (axis_.stored.empty()) {
      stored_ = layout_.wanted;
      Settle();
      AskReaders();
    }
    Settle();
    for (OpId op = 0; op < Count(); ++op) smallest_.push_back(Smallest(op));
    for (OpId op = 0; op < Count(); ++op) NoteMovements(op);
    NoteResults();
    return std::move(layout_);
  }

 private:
  OpId Count() const { return static_cast<OpId>(graph_.ops.size()); }
  const Split& Of(OpId op) const { return layout_.of[op]; }
  const Rule& RuleOf(OpId op) const { return analysis_.rules.of(op); }

  Split ResultOf(OpId op, const Work& work) const {
    return work.factor < 0 ? Split{} : SplitOf(op, work, RuleOf(op).result_site(work.factor));
  }
  Split SplitOf(OpId op, const Work& work, const Site& site) const {
    return site.dim < 0 ? Split{} : SplitAt(RuleOf(op).factors[work.factor], site, work.within);
  }

  // Sweeps until every loop's state enters as it comes back. [L7]
  void Settle() {
    for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
      for (OpId op = 0; op < Count(); ++op) {
        layout_.of[op] = Visit(op);
        obliging_[op] = IsCut(Of(op)) && IsObliging(op);
      }
      bool settled = true;
      for (OpId op = 0; op < Count(); ++op) {
        if (graph_.ops[op].opcode != Opcode::kCarry) continue;
        const Split next = Of(graph_.NextOf(op));
        settled = settled && SameCut(next, Of(op));
        carried_[op] = {true, next};
      }
      if (settled) return;
    }
  }

  Split Visit(OpId op) {
    const Opcode opcode = graph_.ops[op].opcode;
    if (opcode == Opcode::kLoop || opcode == Opcode::kBranch) return {};
    if (opcode == Opcode::kCarry)
      return carried_[op].known ? carried_[op].split : Of(graph_.operands(op)[0]);
    if (parameter_number_[op] >= 0) return stored_[parameter_number_[op]];
    if (!works_.decided[op]) works_.of[op] = Follow(op);
    const Work& work = works_.of[op];
    const bool sums =
        work.factor >= 0 && RuleOf(op).factors[work.factor].kind == FactorKind::kReduced;
    return sums ? Scattered(op) : ResultOf(op, work);
  }

  // What an op that no strategy speaks of works on. [L3] [L4]
  Work Follow(OpId op) {
    const OpId forward = ForwardOf(op);
    if (forward != kNoOp) {
      const Work work = Mirrored(op, works_.of[forward]);
      works_.decided[op] = work.factor >= 0 || works_.of[forward].factor < 0;
      if (works_.decided[op]) return work;
    }
    const bool updates = analysis_.blocks.owner[op].kind == OwnerKind::kOptimizer;
    if (IsSource(op) || updates) {
      const Work work = Asked(op);
      if (work.factor >= 0) return work;
    }
    const Span<OpId> operands = graph_.Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      if ((updates || becomes_state_[op]) && Of(operands[i]).outer > 1) return Asked(op);
      if (obliging_[operands[i]]) continue;
      if (IsSource(op) && Elements(graph_.dims(op)) > Elements(graph_.dims(operands[i]))) continue;
      const Work work = Continued(op, static_cast<int>(i), Of(operands[i]));
      if (work.factor >= 0) return work;
    }
    return {};
  }

  // What every reader computes for itself: made of parameters and constants alone. [L5]
  bool IsSource(OpId op) const {
    return analysis_.blocks.owner[op].kind == OwnerKind::kNobody &&
           !analysis_.grouping.activation[op];  // as a loop's state is, wherever it comes from
  }

  // Whether a source is cut only because a reader wants it so, and not because what it is made of
  // is: like a mask of positions, or of words that are there.
  bool IsObliging(OpId op) const {
    if (!IsSource(op) || parameter_number_[op] >= 0) return false;
    const Span<OpId> operands = graph_.Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      if (!obliging_[operands[i]] &&
          SameCut(ResultOf(op, Continued(op, static_cast<int>(i), Of(operands[i]))), Of(op)))
        return false;
    }
    return true;
  }

  // The part that all readers want. A source is made as its readers want it, and an update as it
  // will be stored, so that it is the small or the first array of a chain that moves. [L5] [L6]
  Work Asked(OpId op) const {
    const Split split = demands_.PartOf(op);
    const Rule& rule = RuleOf(op);
    const int f = IsCut(split) ? ResultFactorCut(rule, split) : -1;
    if (f < 0 || rule.factors[f].kind != FactorKind::kPass) return {};
    const int64_t within = split.outer / rule.result_site(f).outer;
    return rule.factors[f].size / within % Pieces(op, split) == 0 ? Work{f, within} : Work{};
  }

  Work Continued(OpId op, int operand, const Split& split) const {
    if (!IsCut(split)) return {};
    const Rule& rule = RuleOf(op);
    const int f = FactorCut(rule, operand, split);
    if (f < 0 || !CanBeCut(rule.factors[f].kind)) return {};
    const int64_t within = split.outer / rule.operand_site(f, operand).outer;
    const Site& result = rule.result_site(f);
    const int64_t left = rule.factors[f].size / within;
    if (left % Pieces(op, {result.dim, result.outer * within, left}) != 0) return {};
    return {f, within};
  }

  // The forward contraction that an op is a gradient of; kNoOp for any other op.
  OpId ForwardOf(OpId op) const {
    const int c = analysis_.contractions.at[op];
    if (c < 0 || analysis_.contractions.list[c].phase != Phase::kBackward) return kNoOp;
    return analysis_.contractions.list[analysis_.contractions.list[c].forward].op;
  }

  Work Mirrored(OpId op, const Work& forward) const {
    return GradientWork(analysis_, analysis_.contractions.at[op], forward);
  }

  // Into how many pieces a dimension of a result is cut by this axis, by the earlier ones, and by
  // what strategies decide on the later ones.
  int64_t Pieces(OpId op, const Split& split) const {
    int64_t pieces = axis_.size;
    for (size_t a = 0; a < axes_.size() && IsCut(split); ++a) {
      const bool is_earlier = a < earlier_.size();
      if (a == earlier_.size()) continue;
      if (SameCut(is_earlier ? earlier_[a].of[op] : DecidedSplit(op, decided_[a]), split))
        pieces *= axes_[a].size;
    }
    return pieces;
  }

  // How the result of an op lies by a strategy or as its mirror.
  Split DecidedSplit(OpId op, const ForwardWorks& works) const {
    Work work = works.of[op];
    if (const OpId forward = ForwardOf(op); forward != kNoOp && !works.decided[op])
      work = Mirrored(op, works.of[forward]);
    return ResultOf(op, work);
  }

  // A partial result whose readers all take one part is summed where it is read. [L9]
  Split Scattered(OpId op) const {
    const Split split = demands_.PartOf(op);
    if (!IsCut(split) || graph_.ops[op].combiner == Combiner::kOther) return {};
    const int64_t left = graph_.dims(op)[split.dim] / split.outer;
    return left % Pieces(op, split) == 0 ? split : Split{};
  }

  // Asks again what readers want, and takes their word for where arguments lie best. [L8]
  void AskReaders() {
    demands_ = FindDemands(analysis_, works_, stored_, continues_);
    layout_.wanted.assign(graph_.parameters.size(), {});
    for (size_t p = 0; p < graph_.parameters.size(); ++p) {
      const OpId op = graph_.parameters[p];
      if (op == kNoOp) continue;
      const Split& split = demands_.asked[op];
      if (!IsCut(split) || graph_.ops[op].shape.dtype == DType::kTuple) continue;
      const int64_t left = graph_.dims(op)[split.dim] / split.outer;
      if (left % Pieces(op, split) == 0) layout_.wanted[p] = split;
    }
  }

  // ---- what moves

  void NoteMovements(OpId op) {
    const Opcode opcode = graph_.ops[op].opcode;
    if (opcode == Opcode::kLoop || opcode == Opcode::kBranch || parameter_number_[op] >= 0) return;
    if (opcode == Opcode::kCarry) return NoteCarry(op);
    const Work& work = works_.of[op];
    const Span<OpId> operands = graph_.Reads(op);
    for (size_t i = 0; i < operands.size(); ++i) {
      const Split use = UseOf(op, work, static_cast<int>(i));
      if (analysis_.contractions.at[op] >= 0)
        layout_.uses.push_back({op, static_cast<int>(i), use});
      Move(operands[i], use, op);
    }
    if (work.factor < 0) return;
    const FactorKind kind = RuleOf(op).factors[work.factor].kind;
    if (kind == FactorKind::kHalo) Note(MovementKind::kHalo, operands[0], {}, op);
    if (kind == FactorKind::kReduced) Note(SumOf(op), op, {}, op);
  }

  Split UseOf(OpId op, const Work& work, int operand) const {
    if (work.factor < 0) return {};
    return SplitOf(op, work, RuleOf(op).operand_site(work.factor, operand));
  }

  MovementKind SumOf(OpId op) const {
    if (graph_.ops[op].combiner == Combiner::kOther) return MovementKind::kGatherPartials;
    return IsCut(Of(op)) ? MovementKind::kReduceScatter : MovementKind::kAllReduce;
  }

  void NoteCarry(OpId op) {
    Move(graph_.operands(op)[0], Of(op), op);
    Move(graph_.NextOf(op), Of(op), op);
  }

  void NoteResults() {
    for (size_t r = 0; r < graph_.results.size(); ++r) {
      const int p = r < continues_.size() ? continues_[r] : -1;
      if (p >= 0) Move(graph_.results[r], stored_[p], kNoOp);
    }
  }

  void Move(OpId value, const Split& to, OpId reader) {
    const Split& from = Of(value);
    if (!IsCut(from) || SameCut(from, to)) return;
    const OpId smallest = smallest_[value];
    if (smallest == kNoOp) return;
    if (IsCut(to) && to.dim != from.dim) return Note(MovementKind::kAllToAll, value, to, reader);
    Note(MovementKind::kAllGather, smallest, {}, reader);
  }

  // [L11] What every reader computes for itself is gathered where it is smallest: a weight before
  // it is broadcast, but after it is converted to fewer bits. kNoOp where no stored array is behind
  // it: then nothing is gathered.
  OpId Smallest(OpId value) const {
    if (!IsSource(value) || parameter_number_[value] >= 0) return value;
    for (OpId operand : graph_.Reads(value)) {
      const OpId smallest = smallest_[operand];
      if (!IsCut(Of(operand)) || smallest == kNoOp) continue;
      return SizeBytes(value) < SizeBytes(smallest) ? value : smallest;
    }
    return kNoOp;
  }

  int64_t SizeBytes(OpId op) const { return cfp::SizeBytes(graph_.module, graph_.ops[op].shape); }

  // One value moved to one place moves once, however many read it there, and what a loop reads from
  // outside moves before the loop. [L10]
  void Note(MovementKind kind, OpId value, const Split& to, OpId reader) {
    const int read_in = reader == kNoOp ? 0 : graph_.ops[reader].region;
    const int region = std::min(graph_.ops[value].region, read_in);  // the outer of the two
    if (!noted_.emplace(kind, value, to.dim, to.outer, region).second) return;
    layout_.movements.push_back({kind, value, reader, graph_.regions[region].times});
  }

  struct Carried {
    bool known = false;
    Split split;
  };

  const Analysis& analysis_;
  const Graph& graph_;
  const std::vector<Axis>& axes_;
  const std::vector<ForwardWorks>& decided_;
  const std::vector<int>& continues_;
  const std::vector<AxisLayout>& earlier_;
  const Axis& axis_;
  ForwardWorks works_;
  std::vector<Split> stored_;  // per entry parameter
  std::vector<Carried> carried_;
  std::vector<int> parameter_number_;  // per op
  std::vector<bool> obliging_;         // per op: see IsObliging
  std::vector<bool> becomes_state_;    // per op: a loop carries it into its next trip
  std::vector<OpId> smallest_;         // per op: where it is gathered
  Demands demands_;
  AxisLayout layout_;
  std::set<std::tuple<MovementKind, OpId, int, int64_t, int>> noted_;
};

}  // namespace

std::string_view MovementText(MovementKind kind) {
  switch (kind) {
    case MovementKind::kAllReduce:
      return "all-reduce";
    case MovementKind::kReduceScatter:
      return "reduce-scatter";
    case MovementKind::kAllGather:
      return "all-gather";
    case MovementKind::kAllToAll:
      return "all-to-all";
    case MovementKind::kGatherPartials:
      return "gather-partials";
    case MovementKind::kHalo:
      return "halo";
  }
  return "";
}

std::vector<AxisLayout> LayOut(const Analysis& analysis, const std::vector<Axis>& axes,
                               const std::vector<int>& continues) {
  std::vector<ForwardWorks> works;
  for (const Axis& axis : axes) works.push_back(DivideForward(analysis, axis.choice));
  CheckAxes(analysis, axes, continues);
  std::vector<AxisLayout> layouts;
  while (layouts.size() < axes.size())
    layouts.push_back(AxisWalk(analysis, axes, works, continues, layouts).Run());
  return layouts;
}

}  // namespace cfp
