#include "contractions.h"

#include <algorithm>
#include <unordered_set>

#include "phases.h"

namespace cfp {
namespace {

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
    const bool part = opcode == Opcode::kCopy || opcode == Opcode::kGetTupleElement ||
                      opcode == Opcode::kDynamicSlice;
    if (part || IsView(opcode)) table[op] = table[graph.operands(op)[0]];
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

// Per op: a forward contraction depends on it.
std::vector<bool> FeedsForward(const Graph& graph, const Contractions& found) {
  std::vector<bool> feeds(graph.ops.size());
  for (OpId op = static_cast<OpId>(graph.ops.size()) - 1; op >= 0; --op) {
    const int c = found.at[op];
    if (!feeds[op] && (c < 0 || found.list[c].phase != Phase::kForward)) continue;
    for (OpId operand : graph.Reads(op)) feeds[operand] = true;
  }
  return feeds;
}

// The arrays that gradients read as the cotangent of a forward contraction's result, with their
// views. A loss may hand over a forward value as it is (the error, a constant); that one stays
// forward. Where two results share a cotangent (parallel branches into one residual) the later one
// has it, as it has the residual.
void FindCotangents(const Graph& graph, Contractions* found) {
  const std::vector<bool> feeds_forward = FeedsForward(graph, *found);
  found->cotangent_of.assign(graph.ops.size(), -1);
  for (const Contraction& c : found->list) {
    if (c.phase != Phase::kBackward) continue;
    OpId value = graph.operands(c.op)[c.cotangent_operand];
    while (!feeds_forward[value] && found->ancestors.Contains(value, c.forward)) {
      found->cotangent_of[value] = std::max(found->cotangent_of[value], c.forward);
      if (!IsView(graph.ops[value].opcode)) break;
      value = graph.operands(value)[0];
    }
  }
}

void MarkBackward(const Graph& graph, Contractions* found) {
  found->backward.resize(graph.ops.size());
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    const int c = found->at[op];
    bool backward =
        found->cotangent_of[op] >= 0 || (c >= 0 && found->list[c].phase == Phase::kBackward);
    for (OpId operand : graph.operands(op)) backward = backward || found->backward[operand];
    found->backward[op] = backward;
  }
}

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

Role Exchanged(Role role) {
  if (role == Role::kFree) return Role::kContracted;
  return role == Role::kContracted ? Role::kFree : role;
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
    const ConvAttributes& conv = graph.conv(contraction);
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
  AncestorSets ancestors(graph, at, list.size());
  Contractions found{std::move(list), std::move(at), std::move(ancestors), {}, {}};
  AssignPhases(graph, numbers, &found);
  FindCotangents(graph, &found);
  MarkBackward(graph, &found);
  for (Contraction& c : found.list) {
    if (c.phase == Phase::kBackward) found.list[c.forward].gradients |= 1 << c.gradient_of;
    c.unmatched = c.phase == Phase::kForward && found.IsBackward(c.op);
  }
  return found;
}

}  // namespace cfp
