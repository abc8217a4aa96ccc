#include "contractions.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace cfp {
namespace {

constexpr size_t kMaxWalk = 256;    // ops between two contractions that are followed back
constexpr int kMaxCandidates = 64;  // uses of one array that are looked at per contraction

bool IsLookup(const Graph& graph, OpId op, const std::vector<bool>& from_table) {
  if (graph.ops[op].opcode != Opcode::kGather || !IsFloat(graph.ops[op].shape.dtype)) return false;
  return from_table[graph.operands(op)[0]];
}

bool IsLookupGradient(const Graph& graph, OpId op) {
  return graph.ops[op].opcode == Opcode::kScatter && graph.ops[op].combiner == Combiner::kAdd &&
         graph.operands(op).size() == 3 && IsFloat(graph.ops[op].shape.dtype);
}

// Arrays that come from entry parameters by elementwise ops and reshapes alone: tables one can look
// rows up in.
std::vector<bool> FindTables(const Graph& graph) {
  std::vector<bool> table(graph.ops.size());
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    const Opcode opcode = graph.ops[op].opcode;
    if (opcode == Opcode::kParameter) table[op] = IsFloat(graph.ops[op].shape.dtype);
    const bool view = opcode == Opcode::kConvert || opcode == Opcode::kCopy ||
                      opcode == Opcode::kTranspose || opcode == Opcode::kReshape ||
                      opcode == Opcode::kGetTupleElement || opcode == Opcode::kDynamicSlice;
    if (view) table[op] = table[graph.operands(op)[0]];
  }
  return table;
}

double Elements(Span<int64_t> dims) {
  double n = 1;
  for (int64_t d : dims) n *= static_cast<double>(d);
  return n;
}

// Two per multiply-add: every element of the result sums over the reduced factors of the second
// operand.
double FlopsOf(const Graph& graph, OpId op, const Rule& rule, bool is_lookup) {
  const double times = static_cast<double>(graph.regions[graph.ops[op].region].times);
  double flops = Elements(graph.dims(op)) * times;
  if (is_lookup) return flops;
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    if (rule.operand_site(f, 1).dim >= 0 && rule.result_site(f).dim < 0)
      flops *= rule.factors[f].size;
  }
  return 2 * flops;
}

std::vector<Contraction> ListContractions(const Graph& graph, const ValueNumbers& numbers) {
  const std::vector<bool> table = FindTables(graph);
  std::unordered_set<OpId> looked_up;  // indices of lookups
  std::vector<Contraction> list;
  Rule rule;
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    const bool gather = IsLookup(graph, op, table);
    const bool scatter = IsLookupGradient(graph, op);
    const OpId indices =
        gather || scatter ? Peel(graph, numbers, graph.operands(op)[1]).base : kNoOp;
    if (gather) looked_up.insert(indices);
    const bool lookup = gather || (scatter && looked_up.count(indices) > 0);
    if (!lookup && !IsContraction(graph, op)) continue;
    FillPartitionRule(graph, op, &rule);
    Contraction c;
    c.op = op;
    c.is_lookup = lookup;
    c.forward = static_cast<int>(list.size());
    c.flops = FlopsOf(graph, op, rule, lookup);
    list.push_back(c);
  }
  return list;
}

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

bool Swapped(Role a, Role b) {
  if (a == Role::kFree) return b == Role::kContracted;
  if (a == Role::kContracted) return b == Role::kFree;
  return a == b;
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
  OpId cotangent = kNoOp;
};

class Pairing {
 public:
  Pairing(const Graph& graph, const ValueNumbers& numbers, Contractions* found)
      : graph_(graph), numbers_(numbers), found_(*found) {}

  void Run() {
    for (int c = 0; c < static_cast<int>(found_.list.size()); ++c) Visit(c);
    std::vector<bool> has_gradient(found_.list.size());
    for (const Claim& claim : claims_) has_gradient[claim.forward] = true;
    for (size_t i = 0; i < claims_.size();) i = Settle(i, has_gradient);
    SettleRecomputed();
  }

 private:
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
      claims_.push_back({c, f, 0, Peel(graph_, numbers_, updates).base});
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
                      Swapped))
        continue;
      if (Extents(graph_.dims(found_.list[it->contraction].op)) != extents) continue;
      claims_.push_back({use.contraction, it->contraction, 1 - it->operand,
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
      for (const Claim& c : claims_) pairs_[PairKey(c.forward, c.gradient_of, c.cotangent)] = true;
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
      c.forward = original.forward;
    }
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  Contractions& found_;
  Rule rule_;
  std::unordered_map<OpId, std::vector<Use>> uses_;     // by base
  std::unordered_map<OpId, std::vector<int>> lookups_;  // by base of the indices
  std::unordered_map<uint64_t, bool> pairs_;
  std::vector<Claim> claims_;  // grouped by `backward`
};

}  // namespace

std::string_view PhaseText(Phase phase) {
  switch (phase) {
    case Phase::kForward:
      return "forward";
    case Phase::kBackward:
      return "backward";
    case Phase::kRecomputed:
      return "recomputed";
  }
  return "";
}

AncestorSets::AncestorSets(const Graph& graph, const std::vector<Contraction>& contractions,
                           const std::vector<int>& at)
    : words_((contractions.size() + 63) / 64), set_of_(graph.ops.size()), pool_(words_) {
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    size_t set = 0;
    for (OpId operand : graph.operands(op)) set = Union(set, set_of_[operand]);
    if (at[op] >= 0) {
      const size_t own = pool_.size() / words_;
      pool_.resize(pool_.size() + words_);
      std::copy_n(pool_.begin() + set * words_, words_, pool_.begin() + own * words_);
      pool_[own * words_ + at[op] / 64] |= uint64_t{1} << (at[op] % 64);
      set = own;
    }
    set_of_[op] = set;
  }
}

bool AncestorSets::Covers(size_t a, size_t b) const {
  for (size_t w = 0; w < words_; ++w) {
    if (pool_[b * words_ + w] & ~pool_[a * words_ + w]) return false;
  }
  return true;
}

// Most unions are no news: one side holds the other, and its set is shared.
size_t AncestorSets::Union(size_t a, size_t b) {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  if (Covers(std::max(a, b), std::min(a, b))) return std::max(a, b);
  if (Covers(std::min(a, b), std::max(a, b))) return std::min(a, b);
  const size_t both = pool_.size() / words_;
  pool_.resize(pool_.size() + words_);
  for (size_t w = 0; w < words_; ++w)
    pool_[both * words_ + w] = pool_[a * words_ + w] | pool_[b * words_ + w];
  return both;
}

bool AncestorSets::Intersects(OpId op, const std::vector<uint64_t>& set) const {
  for (size_t w = 0; w < words_; ++w) {
    if (pool_[set_of_[op] * words_ + w] & set[w]) return true;
  }
  return false;
}

std::vector<Role> OperandRoles(const Graph& graph, OpId contraction, const Rule& rule, int index) {
  const size_t rank = graph.dims(graph.operands(contraction)[index]).size();
  std::vector<Role> roles(rank, Role::kOne);
  // Of several factors in one dimension the most minor one speaks: (group, channel) has the role of
  // the channel.
  std::vector<int64_t> outer(rank, 0);
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    const Site& site = rule.operand_site(f, index);
    if (site.dim < 0 || site.outer < outer[site.dim]) continue;
    outer[site.dim] = site.outer;
    const bool other = rule.operand_site(f, 1 - index).dim >= 0;
    const bool result = rule.result_site(f).dim >= 0;
    Role role = Role::kSpatial;
    if (rule.factors[f].kind == FactorKind::kPass)
      role = other && result ? Role::kBatch : Role::kFree;
    if (rule.factors[f].kind == FactorKind::kReduced) role = Role::kContracted;
    roles[site.dim] = role;
  }
  // Windows that do not overlap split like batch or contracted dims, yet stay spatial in every
  // gradient.
  if (graph.ops[contraction].opcode == Opcode::kConvolution) {
    const ConvAttributes& conv = graph.attributes(contraction).conv;
    for (int64_t d : graph.module.list(index == 0 ? conv.input_spatial : conv.kernel_spatial)) {
      if (roles[d] != Role::kOne) roles[d] = Role::kSpatial;
    }
  }
  return roles;
}

Contractions FindContractions(const Graph& graph, const ValueNumbers& numbers) {
  std::vector<Contraction> list = ListContractions(graph, numbers);
  std::vector<int> at(graph.ops.size(), -1);
  for (size_t c = 0; c < list.size(); ++c) at[list[c].op] = static_cast<int>(c);
  AncestorSets ancestors(graph, list, at);
  Contractions found{std::move(list), std::move(at), std::move(ancestors), {}};
  Pairing(graph, numbers, &found).Run();
  found.backward_set.resize(found.ancestors.words());
  for (size_t c = 0; c < found.list.size(); ++c) {
    if (found.list[c].phase == Phase::kBackward)
      found.backward_set[c / 64] |= uint64_t{1} << (c % 64);
  }
  for (Contraction& c : found.list) {
    if (c.phase == Phase::kBackward) found.list[c.forward].gradients |= 1 << c.gradient_of;
    c.unmatched = c.phase == Phase::kForward && found.IsBackward(c.op);
  }
  return found;
}

}  // namespace cfp
