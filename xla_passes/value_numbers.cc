#include "value_numbers.h"

#include <algorithm>
#include <unordered_map>

#include "hash.h"
#include "hlo_fields.h"
#include "shape_size.h"
#include "wire.h"

namespace cfp {
namespace {

// The dimension in which `part` is one row of `whole` while all others are full; -1 if there is
// none.
int RowDim(Span<int64_t> part, Span<int64_t> whole) {
  if (part.size() != whole.size()) return -1;
  int row = -1;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == whole[i]) continue;
    if (part[i] != 1 || row >= 0) return -1;
    row = static_cast<int>(i);
  }
  return row;
}

bool IsInside(const Graph& graph, int region, int ancestor) {
  while (region >= 0 && region != ancestor) region = graph.regions[region].parent;
  return region == ancestor;
}

// One row, of whichever trip, of an array that the loop does not change: every such read is the
// same value for the purpose of telling forward from backward (layer weights under scan).
bool IsInvariantRow(const Graph& graph, OpId op) {
  if (graph.ops[op].opcode != Opcode::kDynamicSlice) return false;
  const OpId array = graph.operands(op)[0];
  return graph.ops[op].region != graph.ops[array].region &&
         IsInside(graph, graph.ops[op].region, graph.ops[array].region) &&
         RowDim(graph.dims(op), graph.dims(array)) >= 0;
}

bool IsUnique(Opcode opcode) {
  return opcode == Opcode::kParameter || opcode == Opcode::kCarry || opcode == Opcode::kUnknown ||
         opcode == Opcode::kRng || opcode == Opcode::kInfeed || opcode == Opcode::kLoop;
}

// A reshape, or a broadcast that only adds dims of size 1: the same elements in the same order.
bool IsReshape(const Graph& graph, OpId op) {
  const Opcode opcode = graph.ops[op].opcode;
  if (opcode == Opcode::kReshape) return true;
  return opcode == Opcode::kBroadcast &&
         Elements(graph.dims(op)) == Elements(graph.dims(graph.operands(op)[0])) &&
         std::is_sorted(graph.module.list(graph.attributes(op).dimensions).begin(),
                        graph.module.list(graph.attributes(op).dimensions).end());
}

// A constant whose every byte is zero, of whatever type.
bool IsZeroConstant(const Graph& graph, OpId op) {
  if (graph.ops[op].opcode != Opcode::kConstant) return false;
  WireReader reader(graph.attributes(op).literal);
  bool has_value = false;
  for (WireField field; reader.Next(&field);) {
    if (field.number == LiteralField::kShape) continue;
    has_value = true;
    if (field.value != 0) return false;
    if (std::any_of(field.bytes.begin(), field.bytes.end(), [](char c) { return c != 0; }))
      return false;
  }
  return has_value;
}

struct Numbering {
  const Graph& graph;
  ValueNumbers numbers;
  std::unordered_map<uint64_t, OpId> seen;
  std::vector<bool> is_zero;

  bool IsZero(OpId op) const {
    const Opcode opcode = graph.ops[op].opcode;
    const bool copies =
        opcode == Opcode::kBroadcast || opcode == Opcode::kReshape || opcode == Opcode::kConvert;
    return copies ? is_zero[graph.operands(op)[0]] : IsZeroConstant(graph, op);
  }

  // x + 0 and x - 0 are x: a recomputation may have dropped a zero that the first computation
  // carried along.
  OpId WithoutZero(OpId op) const {
    const Opcode opcode = graph.ops[op].opcode;
    if (opcode != Opcode::kAdd && opcode != Opcode::kSubtract) return kNoOp;
    const Span<OpId> operands = graph.operands(op);
    if (is_zero[operands[1]]) return numbers.of[operands[0]];
    return opcode == Opcode::kAdd && is_zero[operands[0]] ? numbers.of[operands[1]] : kNoOp;
  }

  uint64_t Key(OpId op) const {
    const Op& o = graph.ops[op];
    if (IsInvariantRow(graph, op)) {
      const OpId array = graph.operands(op)[0];
      return MixHash(MixHash(0x510ce, numbers.of[array]),
                     RowDim(graph.dims(op), graph.dims(array)));
    }
    uint64_t h = MixHash(o.fingerprint, static_cast<uint64_t>(o.opcode));
    if (o.opcode == Opcode::kGetTupleElement) h = MixHash(h, graph.ops[op].tuple_index);
    for (OpId operand : graph.operands(op)) h = MixHash(h, numbers.of[operand]);
    return h;
  }

  // A reshape of a reshape is one reshape; back to the first shape it is nothing.
  OpId NumberOfReshape(OpId op) {
    OpId source = numbers.of[graph.operands(op)[0]];
    while (IsReshape(graph, source)) source = numbers.of[graph.operands(source)[0]];
    if (SameDims(graph, op, source)) return source;
    uint64_t h = MixHash(0x7e54a9e, source);
    for (int64_t d : graph.dims(op)) h = MixHash(h, d);
    return seen.try_emplace(h, op).first->second;
  }

  OpId NumberOf(OpId op) {
    if (IsUnique(graph.ops[op].opcode)) return op;
    const OpId residual = UnstackedResidual(graph, op);
    // The slice keeps its row dimension of size 1, as the update it reads back did.
    if (residual != kNoOp) return numbers.of[residual];
    if (IsReshape(graph, op)) return NumberOfReshape(op);
    if (const OpId same = WithoutZero(op); same != kNoOp) return same;
    return seen.try_emplace(Key(op), op).first->second;
  }
};

// Follows dims of `op` to dims of its operand through one transparent op; false if the op is not
// transparent.
bool PeelOnce(const Graph& graph, OpId op, Peeled* peeled) {
  const Opcode opcode = graph.ops[op].opcode;
  if (opcode == Opcode::kConvert || opcode == Opcode::kCopy || opcode == Opcode::kReverse)
    return true;
  if (opcode == Opcode::kTranspose) {
    const Span<int64_t> permutation = graph.module.list(graph.attributes(op).dimensions);
    for (int i = 0; i < peeled->rank; ++i) {
      if (peeled->dim[i] >= 0) peeled->dim[i] = static_cast<int16_t>(permutation[peeled->dim[i]]);
    }
    return true;
  }
  if (opcode != Opcode::kReshape && opcode != Opcode::kBitcast) return false;
  // Same dims but for ones: [1,8,4] -> [8,4].
  const Span<int64_t> to = graph.dims(op), from = graph.dims(graph.operands(op)[0]);
  std::array<int16_t, Peeled::kMaxRank> map;
  map.fill(-1);
  if (to.size() > Peeled::kMaxRank || from.size() > Peeled::kMaxRank) return false;
  size_t j = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 1) continue;
    while (j < from.size() && from[j] == 1) ++j;
    if (j == from.size() || from[j] != to[i]) return false;
    map[i] = static_cast<int16_t>(j++);
  }
  while (j < from.size() && from[j] == 1) ++j;
  if (j != from.size()) return false;
  for (int i = 0; i < peeled->rank; ++i) {
    if (peeled->dim[i] >= 0) peeled->dim[i] = map[peeled->dim[i]];
  }
  return true;
}

}  // namespace

OpId UnstackedResidual(const Graph& graph, OpId op) {
  if (graph.ops[op].opcode != Opcode::kDynamicSlice) return kNoOp;
  const OpId stack = graph.operands(op)[0];
  if (RowDim(graph.dims(op), graph.dims(stack)) < 0) return kNoOp;
  if (graph.ops[stack].opcode != Opcode::kGetTupleElement) return kNoOp;
  const OpId loop = graph.operands(stack)[0];
  if (graph.ops[loop].opcode != Opcode::kLoop) return kNoOp;
  const OpId last = graph.operands(loop)[graph.ops[stack].tuple_index];
  if (graph.ops[last].opcode != Opcode::kDynamicUpdateSlice) return kNoOp;
  const OpId update = graph.operands(last)[1];
  const bool same_row =
      RowDim(graph.dims(update), graph.dims(last)) == RowDim(graph.dims(op), graph.dims(stack));
  return same_row ? update : kNoOp;
}

ValueNumbers NumberValues(const Graph& graph) {
  Numbering numbering{graph, {}, {}, std::vector<bool>(graph.ops.size())};
  numbering.numbers.of.resize(graph.ops.size());
  numbering.seen.reserve(graph.ops.size());
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    numbering.is_zero[op] = numbering.IsZero(op);
    numbering.numbers.of[op] = numbering.NumberOf(op);
  }
  return std::move(numbering.numbers);
}

Peeled Peel(const Graph& graph, const ValueNumbers& numbers, OpId op) {
  Peeled peeled;
  const Span<int64_t> dims = graph.dims(op);
  peeled.rank = static_cast<int>(dims.size() < Peeled::kMaxRank ? dims.size() : Peeled::kMaxRank);
  for (int i = 0; i < peeled.rank; ++i) peeled.dim[i] = dims[i] == 1 ? -1 : static_cast<int16_t>(i);
  op = numbers.of[op];
  while (PeelOnce(graph, op, &peeled)) op = numbers.of[graph.operands(op)[0]];
  peeled.base = op;
  return peeled;
}

}  // namespace cfp
