#include "block_signature.h"

#include <algorithm>
#include <unordered_map>

#include "hash.h"

namespace cfp {
namespace {

enum Token : uint64_t {
  kOuter = 0x6f75,
  kData = 0x6461,
  kStored = 0x7374,
  kGradientToken = 0x6772,
  kInner = 0x696e
};

uint64_t ShapeHash(const Graph& graph, OpId op) {
  uint64_t h = MixHash(0, static_cast<uint64_t>(graph.ops[op].shape.dtype));
  for (int64_t d : graph.dims(op)) h = MixHash(h, static_cast<uint64_t>(d));
  return h;
}

class Hasher {
 public:
  Hasher(const Graph& graph, const ValueNumbers& numbers, const Blocks& blocks)
      : graph_(graph), numbers_(numbers), blocks_(blocks) {}

  std::vector<uint64_t> Run() {
    hash_.resize(graph_.ops.size());
    data_.assign(graph_.ops.size(), false);
    for (OpId op = 0; op < static_cast<OpId>(graph_.ops.size()); ++op) hash_[op] = HashOf(op);
    return std::move(hash_);
  }

 private:
  // Masks and constants hash what they compute; what hangs on tokens, keys or a loop counter is
  // just data of a shape, or dropout would make every layer another.
  uint64_t HashOf(OpId op) {
    const Op& o = graph_.ops[op];
    if (o.opcode == Opcode::kParameter || o.opcode == Opcode::kCarry) {
      data_[op] = !IsFloat(o.shape.dtype);
      return MixHash(kStored, ShapeHash(graph_, op));
    }
    const bool owned = blocks_.owner[op].kind == OwnerKind::kBlock;
    for (OpId operand : graph_.operands(op)) data_[op] = data_[op] || (!owned && data_[operand]);
    if (data_[op]) return MixHash(kData, ShapeHash(graph_, op));
    uint64_t h = MixHash(o.fingerprint, static_cast<uint64_t>(o.tuple_index + 1));
    for (OpId operand : graph_.operands(op)) h = MixHash(h, Seen(op, numbers_.of[operand]));
    return h;
  }

  uint64_t Seen(OpId reader, OpId value) const {
    const Owner &mine = blocks_.owner[reader], &its = blocks_.owner[value];
    const bool outer =
        its.kind == OwnerKind::kBlock && (mine.kind != its.kind || mine.index != its.index);
    return outer ? MixHash(kOuter, ShapeHash(graph_, value)) : hash_[value];
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Blocks& blocks_;
  std::vector<uint64_t> hash_;
  std::vector<bool> data_;  // per source: depends on integers that come from outside
};

// Forward ops that forward ops, or the step's results, come from; what only gradients read (a
// derivative computed ahead) depends on what follows the block, and is left out. A contraction that
// follows a gradient and is none counts: it is all that its block has.
std::vector<bool> FindForwardOps(const Graph& graph, const ValueNumbers& numbers,
                                 const Contractions& contractions) {
  std::vector<bool> forward(graph.ops.size());
  for (const Contraction& c : contractions.list) forward[c.op] = c.phase == Phase::kForward;
  for (OpId result : graph.results) forward[numbers.of[result]] = true;
  for (OpId op = static_cast<OpId>(graph.ops.size()) - 1; op >= 0; --op) {
    const bool first = numbers.of[op] == op;
    const int c = contractions.at[op];
    const bool is_root = c >= 0 && contractions.list[c].phase == Phase::kForward;
    forward[op] = forward[op] && first && (is_root || !contractions.IsBackward(op));
    if (!forward[op]) continue;
    for (OpId operand : graph.Reads(op)) forward[numbers.of[operand]] = true;
  }
  return forward;
}

}  // namespace

BlockSignatures::BlockSignatures(const Graph& graph, const ValueNumbers& numbers,
                                 const Contractions& contractions, const Blocks& blocks)
    : blocks_(blocks), op_(Hasher(graph, numbers, blocks).Run()) {
  block_.resize(blocks.list.size());
  references_.resize(blocks.list.size());
  const std::vector<bool> forward = FindForwardOps(graph, numbers, contractions);
  for (size_t b = 0; b < blocks.list.size(); ++b) {
    std::unordered_map<OpId, uint64_t> readers;
    for (OpId op : blocks.list[b].ops) {
      if (!forward[op]) continue;
      block_[b] += MixHash(kInner, op_[op]);
      const Span<OpId> operands = graph.operands(op);
      for (size_t i = 0; i < operands.size(); ++i) {
        const OpId value = numbers.of[operands[i]];
        const Owner& owner = blocks.owner[value];
        const bool inside = owner.kind == OwnerKind::kBlock && owner.index == static_cast<int>(b);
        const Opcode opcode = graph.ops[value].opcode;
        const bool named = owner.kind == OwnerKind::kBlock || opcode == Opcode::kParameter ||
                           opcode == Opcode::kCarry;
        if (!inside && named) readers[value] += MixHash(op_[op], i);
      }
    }
    for (int c : blocks.list[b].contractions) {
      const Contraction& contraction = contractions.list[c];
      if (contraction.phase == Phase::kForward) continue;
      const uint64_t its_forward = op_[contractions.list[contraction.forward].op];
      block_[b] += MixHash(MixHash(kGradientToken, its_forward),
                           static_cast<uint64_t>(contraction.gradient_of + 1));
    }
    for (const auto& [value, sum] : readers) references_[b].push_back({value, sum});
    std::sort(references_[b].begin(), references_[b].end(),
              [](const Reference& x, const Reference& y) { return x.value < y.value; });
    for (const Reference& r : references_[b]) block_[b] += MixHash(kOuter, r.readers);
  }
}

uint64_t BlockSignatures::OfRun(int begin, int end) const {
  uint64_t h = 0;
  std::unordered_map<OpId, uint64_t> outer;
  for (int b = begin; b < end; ++b) {
    const uint64_t place = static_cast<uint64_t>(b - begin);
    h += MixHash(place, block_[b]);
    for (const Reference& r : references_[b]) {
      const Owner& owner = blocks_.owner[r.value];
      const bool inside =
          owner.kind == OwnerKind::kBlock && owner.index >= begin && owner.index < end;
      if (inside)
        h += MixHash(MixHash(MixHash(kInner, op_[r.value]), owner.index - begin),
                     MixHash(place, r.readers));
      if (!inside) outer[r.value] += MixHash(place, r.readers);
    }
  }
  for (const auto& [value, sum] : outer) h += MixHash(kOuter, sum);
  return h;
}

}  // namespace cfp
