#include "op_rules.h"

#include <unordered_map>

#include "hash.h"
#include "shape_size.h"

namespace cfp {
namespace {

uint64_t HashArray(const Graph& graph, OpId op, uint64_t hash) {
  hash = MixHash(hash, static_cast<uint64_t>(graph.ops[op].shape.dtype));
  const Span<int64_t> dims = WidestDims(graph.module, graph.ops[op].shape);
  hash = MixHash(hash, dims.size());
  for (const int64_t size : dims) hash = MixHash(hash, static_cast<uint64_t>(size));
  return hash;
}

// Of all that the rule of an op depends on: what it computes, of what shapes, and where the parts
// of a tuple come from.
uint64_t KindOf(const Graph& graph, OpId op) {
  const Op& o = graph.ops[op];
  uint64_t hash = MixHash(o.fingerprint, static_cast<uint64_t>(o.opcode));
  hash = HashArray(graph, op, hash);
  for (const OpId read : graph.Reads(op)) hash = HashArray(graph, read, hash);
  if (o.opcode != Opcode::kGetTupleElement) return hash;
  return MixHash(hash, static_cast<uint64_t>(graph.ops[graph.Reads(op)[0]].opcode));
}

}  // namespace

OpRules::OpRules(const Graph& graph) {
  std::unordered_map<uint64_t, int32_t> rule_of_kind;
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    const auto [kind, is_new] =
        rule_of_kind.try_emplace(KindOf(graph, op), static_cast<int32_t>(rules_.size()));
    if (is_new) FillPartitionRule(graph, op, &rules_.emplace_back());
    index_.push_back(kind->second);
  }
}

}  // namespace cfp
