// Liveness, depth, the depth-first walk, and renumbering; see graph_order.h.
//
// The walk goes straight through loop and branch bodies. Afterwards the ops of each region are
// gathered, in the order of the walk, in front of the op that owns the region. That keeps operands
// before their users: what a body reads from outside was walked before the body's owner and stands
// in an enclosing region.
#include "graph_order.h"

#include <algorithm>
#include <utility>

namespace cfp {
namespace {

bool IsContractionOpcode(Opcode opcode) {
  return opcode == Opcode::kDot || opcode == Opcode::kConvolution || opcode == Opcode::kRaggedDot ||
         opcode == Opcode::kScaledDot;
}

class Orderer {
 public:
  explicit Orderer(FlatGraph flat) : flat_(std::move(flat)), graph_(flat_.graph) {}

  Graph Run() {
    ResolveAliases();
    FindOwnedRegions();
    FindDepths();
    Walk();
    LayOut(0);
    return Renumber();
  }

 private:
  // From here on a loop-invariant carry has no user.
  void ResolveAliases() {
    std::vector<OpId>& alias =
        flat_.alias;  // of an op that comes earlier, hence is resolved already
    for (OpId& target : alias) target = alias[target];
    const auto resolve = [&](OpId& op) { op = op == kNoOp ? kNoOp : alias[op]; };
    std::for_each(graph_.operand_pool.begin(), graph_.operand_pool.end(), resolve);
    std::for_each(graph_.next.begin(), graph_.next.end(), resolve);
    std::for_each(graph_.results.begin(), graph_.results.end(), resolve);
    for (Region& region : graph_.regions) resolve(region.condition);
  }

  void FindOwnedRegions() {
    first_region_.assign(graph_.ops.size(), -1);
    next_region_.assign(graph_.regions.size(), -1);
    for (auto region = static_cast<int32_t>(graph_.regions.size()) - 1; region > 0; --region) {
      int32_t& first = first_region_[graph_.regions[region].owner];
      next_region_[region] = first;
      first = region;
    }
  }

  void FindDepths() {
    depth_.assign(graph_.ops.size(), 0);
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      int32_t depth = 0;
      for (const OpId operand : graph_.operands(static_cast<OpId>(i))) {
        depth = std::max(depth, depth_[operand]);
      }
      depth_[i] = depth + IsContractionOpcode(graph_.ops[i].opcode);
    }
  }

  enum class State : uint8_t { kNew, kOpen, kDone };

  // Iterative depth-first walk: an op is pushed, opened (its children pushed on top of it), and
  // done when it comes up again.
  void Walk() {
    state_.assign(graph_.ops.size(), State::kNew);
    members_.resize(graph_.regions.size());
    for (const OpId parameter : LiveParameters()) Finish(parameter);
    PushDeepestOnTop({graph_.results.data(), graph_.results.size()});
    while (!stack_.empty()) {
      const OpId op = stack_.back();
      if (state_[op] == State::kNew) {
        state_[op] = State::kOpen;
        PushChildren(op);
        continue;
      }
      stack_.pop_back();
      if (state_[op] == State::kOpen) Finish(op);
    }
  }

  std::vector<OpId> LiveParameters() {
    std::vector<bool> live(graph_.ops.size());
    const auto visit = [&](Span<OpId> ops) {
      for (const OpId op : ops) {
        if (!live[op]) stack_.push_back(op);
        live[op] = true;
      }
    };
    visit({graph_.results.data(), graph_.results.size()});
    while (!stack_.empty()) {
      const OpId op = stack_.back();
      stack_.pop_back();
      visit(graph_.operands(op));
      if (graph_.ops[op].opcode == Opcode::kLoop) {
        visit(CarriesOf(op));
        visit({&graph_.regions[first_region_[op]].condition, 1});
      }
    }
    std::vector<OpId> parameters;
    for (const OpId parameter : graph_.parameters) {
      if (parameter != kNoOp && live[parameter]) parameters.push_back(parameter);
    }
    return parameters;
  }

  Span<OpId> CarriesOf(OpId loop) const {
    const std::vector<OpId>& carries = flat_.carries[first_region_[loop]];
    return {carries.data(), carries.size()};
  }

  // Last pushed is walked first.
  void PushChildren(OpId op) {
    const bool is_loop = graph_.ops[op].opcode == Opcode::kLoop;
    if (is_loop) stack_.push_back(graph_.regions[first_region_[op]].condition);
    PushDeepestOnTop(graph_.operands(op));
    if (is_loop) PushDeepestOnTop(CarriesOf(op));
  }

  void PushDeepestOnTop(Span<OpId> ops) {
    const size_t begin = stack_.size();
    for (size_t i = ops.size(); i-- > 0;) {
      if (state_[ops[i]] == State::kNew) stack_.push_back(ops[i]);
    }
    const auto shallower = [&](OpId left, OpId right) { return depth_[left] < depth_[right]; };
    if (!std::is_sorted(stack_.begin() + begin, stack_.end(), shallower)) {
      std::stable_sort(stack_.begin() + begin, stack_.end(), shallower);
    }
  }

  void Finish(OpId op) {
    state_[op] = State::kDone;
    const bool is_listed_first = graph_.ops[op].opcode == Opcode::kCarry;  // by LayOut
    if (!is_listed_first) members_[graph_.ops[op].region].push_back(op);
  }

  void LayOut(int32_t region) {
    region_order_.push_back(region);
    order_.insert(order_.end(), flat_.carries[region].begin(), flat_.carries[region].end());
    for (const OpId op : members_[region]) {
      for (int32_t owned = first_region_[op]; owned != -1; owned = next_region_[owned]) {
        LayOut(owned);
      }
      order_.push_back(op);
    }
  }

  Graph Renumber() {
    number_.assign(graph_.ops.size(), kNoOp);
    for (size_t i = 0; i < order_.size(); ++i) number_[order_[i]] = static_cast<OpId>(i);
    const auto renumber = [&](OpId& op) { op = Number(op); };
    Graph ordered;
    RenumberRegions(&ordered);
    RenumberOps(&ordered);
    ordered.parameters = std::move(graph_.parameters);
    std::for_each(ordered.parameters.begin(), ordered.parameters.end(), renumber);
    ordered.results = std::move(graph_.results);
    std::for_each(ordered.results.begin(), ordered.results.end(), renumber);
    ordered.calls = std::move(graph_.calls);
    ordered.module = std::move(graph_.module);
    return ordered;
  }

  OpId Number(OpId op) const { return op == kNoOp ? kNoOp : number_[op]; }

  void RenumberOps(Graph* ordered) {
    ordered->ops.reserve(order_.size());
    ordered->next.reserve(order_.size());
    ordered->operand_pool.reserve(graph_.operand_pool.size());
    for (const OpId old : order_) {
      Op op = graph_.ops[old];
      op.operands_begin = static_cast<uint32_t>(ordered->operand_pool.size());
      op.region = region_number_[op.region];
      for (const OpId operand : graph_.operands(old)) {
        ordered->operand_pool.push_back(number_[operand]);
      }
      ordered->ops.push_back(op);
      ordered->next.push_back(Number(graph_.next[old]));
    }
  }

  void RenumberRegions(Graph* ordered) {
    region_number_.assign(graph_.regions.size(), -1);
    for (const int32_t old : region_order_) {
      region_number_[old] = static_cast<int32_t>(ordered->regions.size());
      Region region = graph_.regions[old];
      region.owner = Number(region.owner);
      region.condition = Number(region.condition);
      if (region.parent >= 0) {
        MoveUnder(region_number_[region.parent], ordered->regions, &region);
      }
      ordered->regions.push_back(region);
    }
  }

  static void MoveUnder(int32_t parent, const std::vector<Region>& regions, Region* region) {
    region->parent = parent;
    const bool overflows =
        __builtin_mul_overflow(regions[parent].times, region->trip_count, &region->times);
    if (overflows) region->times = INT64_MAX;
  }

  FlatGraph flat_;
  Graph& graph_;
  std::vector<int32_t> first_region_, next_region_;  // the regions that an op owns, as a list
  std::vector<int32_t> depth_;  // dots and convolutions on the longest chain below an op
  std::vector<State> state_;
  std::vector<OpId> stack_;
  std::vector<std::vector<OpId>> members_;  // per region, in the order of the walk
  std::vector<OpId> order_;
  std::vector<int32_t> region_order_;  // parents before children
  std::vector<OpId> number_;           // by old number: the new one, kNoOp where dead
  std::vector<int32_t> region_number_;
};

}  // namespace

Graph OrderCanonically(FlatGraph flat) { return Orderer(std::move(flat)).Run(); }

Graph BuildGraph(HloModule module) { return OrderCanonically(Flatten(std::move(module))); }

}  // namespace cfp
