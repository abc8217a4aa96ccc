#include "ancestor_sets.h"

#include <algorithm>

namespace cfp {

AncestorSets::AncestorSets(const Graph& graph, const std::vector<int>& at, size_t contractions)
    : words_((contractions + 63) / 64), set_of_(graph.ops.size()), pool_(words_) {
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

}  // namespace cfp
