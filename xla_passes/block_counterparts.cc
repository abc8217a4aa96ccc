#include "block_counterparts.h"

#include <algorithm>

#include "hash.h"

namespace cfp {
namespace {

constexpr uint64_t kOutside = 0x6f75;

// An op, and what tells it from others before any two are compared.
struct Cone {
  OpId op = kNoOp;
  double size = 0;    // of all that it is made of inside the block, by paths
  uint64_t hash = 0;  // of what it computes of what
};

// The largest cones first: what they are made of corresponds as they do, whereas of two small ones
// that compute the same it could be either.
std::vector<Cone> Cones(const BlockView& view) {
  std::unordered_map<OpId, size_t> at;
  std::vector<Cone> cones;
  for (const OpId op : view.ops()) {
    const Op& o = view.graph().ops[op];
    Cone cone{op, 1, MixHash(o.fingerprint, static_cast<uint64_t>(o.tuple_index + 1))};
    for (const OpId operand : view.graph().operands(op)) {
      const auto inside = at.find(view.number(operand));
      cone.size += inside == at.end() ? 0 : cones[inside->second].size;
      cone.hash = MixHash(cone.hash, inside == at.end() ? kOutside : cones[inside->second].hash);
    }
    at.emplace(op, cones.size());
    cones.push_back(cone);
  }
  std::stable_sort(cones.begin(), cones.end(),
                   [](const Cone& a, const Cone& b) { return a.size > b.size; });
  return cones;
}

class Matching {
 public:
  Matching(const BlockView& from, const BlockView& to) : from_(from), to_(to) {}

  std::unordered_map<OpId, OpId> Run() {
    const std::vector<Cone> others = Cones(to_);
    for (const Cone& cone : Cones(from_)) {
      for (const Cone& other : others) {
        if (found_.count(cone.op) > 0) break;
        if (cone.hash == other.hash) Match(cone.op, other.op);
      }
    }
    return std::move(found_);
  }

 private:
  // Takes two ops as counterparts, with all that they are made of, or nothing at all.
  void Match(OpId op, OpId other) {
    std::vector<std::pair<OpId, OpId>> trail;
    if (Walk({op, other}, &trail)) return;
    for (const auto& [one, its] : trail) {
      found_.erase(one);
      taken_.erase(its);
    }
  }

  bool Walk(std::pair<OpId, OpId> start, std::vector<std::pair<OpId, OpId>>* trail) {
    std::vector<std::pair<OpId, OpId>> waiting{start};
    while (!waiting.empty()) {
      const auto [op, other] = waiting.back();
      waiting.pop_back();
      const bool known = found_.count(op) > 0;
      if (known ? found_[op] != other : taken_.count(other) > 0) return false;
      if (known) continue;
      found_.emplace(op, other);
      taken_.emplace(other, op);
      trail->emplace_back(op, other);
      const Span<OpId> reads = from_.graph().operands(op), its = to_.graph().operands(other);
      for (size_t i = 0; i < reads.size(); ++i) {
        if (from_.IsMember(from_.number(reads[i])))
          waiting.emplace_back(from_.number(reads[i]), to_.number(its[i]));
      }
    }
    return true;
  }

  const BlockView &from_, &to_;
  std::unordered_map<OpId, OpId> found_, taken_;
};

}  // namespace

std::unordered_map<OpId, OpId> Counterparts(const BlockView& from, const BlockView& to) {
  return Matching(from, to).Run();
}

}  // namespace cfp
