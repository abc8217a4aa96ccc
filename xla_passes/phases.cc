#include "phases.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace cfp {
namespace {

constexpr size_t kMaxWalk = 256;    // ops between two contractions that are followed back
constexpr int kMaxCandidates = 64;  // uses of one array that are looked at per contraction

// The extents above 1, sorted: a cotangent has those of its value, in whatever order it is laid
// out.
std::vector<int64_t> Extents(Span<int64_t> dims) {
  std::vector<int64_t> extents;
  for (int64_t d : dims) {
    if (d != 1) extents.push_back(d);
  }
  std::sort(extents.begin(), extents.end());
  return extents;
}

// One operand of one contraction, seen through its views.
struct Use {
  int contraction = -1;
  int operand = -1;
  std::vector<Role> roles;  // by dimension of the base
};

// "b is the gradient of F's operand `gradient_of`, and reads this cotangent."
struct Claim {
  int backward = -1;
  int forward = -1;
  int gradient_of = -1;
  int operand = -1;        // of `backward`: the cotangent
  OpId cotangent = kNoOp;  // seen through its views
};

class Pairing {
 public:
  Pairing(const Graph& graph, const ValueNumbers& numbers, Contractions* found)
      : graph_(graph), numbers_(numbers), found_(*found) {}

  void Run() {
    for (int c = 0; c < static_cast<int>(found_.list.size()); ++c) Visit(c);
    if (!Trains()) claims_.clear();
    std::vector<bool> has_gradient(found_.list.size());
    for (const Claim& claim : claims_) has_gradient[claim.forward] = true;
    for (size_t i = 0; i < claims_.size();) i = Settle(i, has_gradient);
    SettleRecomputed();
  }

 private:
  // Without the gradient of a single weight, or both gradients of one contraction, there is no
  // backward pass, and what looks like a gradient (f(q·kᵀ)·k, in inference) is not.
  bool Trains() {
    return std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
      if (IsPaired(claim)) return true;
      const OpId forward = found_.list[claim.forward].op;
      return found_.ancestors.Empty(graph_.operands(forward)[claim.gradient_of]);
    });
  }

  void Visit(int c) {
    const Contraction& contraction = found_.list[c];
    const OpId first = numbers_.of[contraction.op];
    if (first != contraction.op) {
      found_.list[c].phase = Phase::kRecomputed;
      found_.list[c].forward = found_.at[first];
    } else if (contraction.is_lookup) {
      VisitLookup(c);
    } else {
      VisitProduct(c);
    }
  }

  void VisitLookup(int c) {
    const OpId op = found_.list[c].op;
    const OpId indices = Peel(graph_, numbers_, graph_.operands(op)[1]).base;
    if (graph_.ops[op].opcode == Opcode::kGather) {
      lookups_[indices].push_back(c);
      return;
    }
    const OpId updates = graph_.operands(op)[2];
    const auto gathers = lookups_.find(indices);
    if (gathers == lookups_.end()) return;
    for (int f : gathers->second) {
      const OpId gather = found_.list[f].op;
      if (!found_.ancestors.Contains(updates, f)) continue;
      if (Extents(graph_.dims(gather)) != Extents(graph_.dims(updates))) continue;
      claims_.push_back({c, f, 0, 2, Peel(graph_, numbers_, updates).base});
    }
  }

  void VisitProduct(int c) {
    FillPartitionRule(graph_, found_.list[c].op, &rule_);
    Use uses[2];
    OpId bases[2];
    for (int i = 0; i < 2; ++i) {
      const OpId operand = graph_.operands(found_.list[c].op)[i];
      const Peeled peeled = Peel(graph_, numbers_, operand);
      bases[i] = peeled.base;
      uses[i] = {c, i, BaseRoles(OperandRoles(graph_, found_.list[c].op, rule_, i), peeled)};
    }
    for (int i = 0; i < 2; ++i) ClaimForwards(uses[i], bases[i]);
    for (int i = 0; i < 2; ++i) uses_[bases[i]].push_back(std::move(uses[i]));
  }

  std::vector<Role> BaseRoles(const std::vector<Role>& roles, const Peeled& peeled) const {
    std::vector<Role> base(graph_.dims(peeled.base).size(), Role::kOne);
    for (int i = 0; i < peeled.rank; ++i) {
      if (peeled.dim[i] >= 0) base[peeled.dim[i]] = roles[i];
    }
    return base;
  }

  void ClaimForwards(const Use& use, OpId base) {
    const auto earlier = uses_.find(base);
    if (earlier == uses_.end()) return;
    const OpId cotangent = graph_.operands(found_.list[use.contraction].op)[1 - use.operand];
    const std::vector<int64_t> extents = Extents(graph_.dims(cotangent));
    int looked_at = 0;
    for (auto it = earlier->second.rbegin();
         it != earlier->second.rend() && looked_at < kMaxCandidates; ++it) {
      ++looked_at;
      if (!found_.ancestors.Contains(cotangent, it->contraction)) continue;
      if (!std::equal(it->roles.begin(), it->roles.end(), use.roles.begin(), use.roles.end(),
                      [](Role a, Role b) { return b == Exchanged(a); }))
        continue;
      if (Extents(graph_.dims(found_.list[it->contraction].op)) != extents) continue;
      claims_.push_back({use.contraction, it->contraction, 1 - it->operand, 1 - use.operand,
                         Peel(graph_, numbers_, cotangent).base});
    }
  }

  // Takes the claims of one contraction, claims_[i..), and believes the one it can trust most; of
  // equals the one of the latest forward contraction.
  size_t Settle(size_t i, const std::vector<bool>& has_gradient) {
    const int b = claims_[i].backward;
    size_t end = i;
    while (end < claims_.size() && claims_[end].backward == b) ++end;
    if (has_gradient[b]) return end;
    const Claim* best = &claims_[i];
    if (end - i > 1) {
      int trust = -1;
      for (; i < end; ++i) {
        const int other = IsPaired(claims_[i]) ? 2 : LeadsBack(claims_[i]) ? 1 : 0;
        if (other > trust) best = &claims_[i];
        trust = std::max(trust, other);
      }
    }
    found_.list[b].phase = Phase::kBackward;
    found_.list[b].forward = best->forward;
    found_.list[b].gradient_of = best->gradient_of;
    found_.list[b].cotangent_operand = best->operand;
    return end;
  }

  // Three projections of one input that is not trained have no other half, and cotangents of one
  // shape. The gradient that the cotangent comes from then tells: it is one of an operand that the
  // right projection feeds.
  bool LeadsBack(const Claim& claim) const {
    for (int g : NearestContractions(claim.cotangent)) {
      const Contraction& gradient = found_.list[g];
      if (gradient.phase != Phase::kBackward || gradient.is_lookup) continue;
      const OpId operand = graph_.operands(found_.list[gradient.forward].op)[gradient.gradient_of];
      const std::vector<int> feeding = NearestContractions(operand);
      if (std::find(feeding.begin(), feeding.end(), claim.forward) != feeding.end()) return true;
    }
    return false;
  }

  std::vector<int> NearestContractions(OpId op) const {
    std::vector<int> nearest;
    std::vector<OpId> front{op};
    std::unordered_set<OpId> seen{op};
    for (size_t next = 0; next < front.size() && next < kMaxWalk; ++next) {
      if (const int c = found_.at[front[next]]; c >= 0) {
        nearest.push_back(c);
        continue;
      }
      for (OpId read : graph_.Reads(front[next])) {
        if (!found_.ancestors.Empty(read) && seen.insert(read).second) front.push_back(read);
      }
    }
    return nearest;
  }

  bool IsPaired(const Claim& claim) {
    if (pairs_.empty()) {
      for (const Claim& c : claims_) pairs_.insert(PairKey(c.forward, c.gradient_of, c.cotangent));
    }
    return pairs_.count(PairKey(claim.forward, 1 - claim.gradient_of, claim.cotangent)) > 0;
  }

  static uint64_t PairKey(int forward, int gradient_of, OpId cotangent) {
    return (static_cast<uint64_t>(forward) << 33) | (static_cast<uint64_t>(gradient_of) << 32) |
           static_cast<uint32_t>(cotangent);
  }

  // A recomputed gradient counts as backward of the same forward contraction.
  void SettleRecomputed() {
    for (Contraction& c : found_.list) {
      if (c.phase != Phase::kRecomputed) continue;
      const Contraction& original = found_.list[c.forward];
      if (original.phase != Phase::kBackward) continue;
      c.phase = Phase::kBackward;
      c.gradient_of = original.gradient_of;
      c.cotangent_operand = original.cotangent_operand;
      c.forward = original.forward;
    }
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  Contractions& found_;
  Rule rule_;
  std::unordered_map<OpId, std::vector<Use>> uses_;     // by base
  std::unordered_map<OpId, std::vector<int>> lookups_;  // by base of the indices
  std::unordered_set<uint64_t> pairs_;
  std::vector<Claim> claims_;  // grouped by `backward`
};

}  // namespace

void AssignPhases(const Graph& graph, const ValueNumbers& numbers, Contractions* contractions) {
  Pairing(graph, numbers, contractions).Run();
}

}  // namespace cfp
