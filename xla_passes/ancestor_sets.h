// Which contractions an op depends on, for every op: bit sets, of which most ops share one with an
// operand.
//
// In a chain of residuals nearly every union is no news: x + f(x) depends on what f(x) depends on.
// So 100,000 ops need some thousand sets, and asking is one bit test.
#pragma once

#include <cstdint>
#include <vector>

#include "graph.h"

namespace cfp {

class AncestorSets {
 public:
  // `at` gives per op the number of its contraction below `contractions`, -1 for other ops. Back
  // edges of loops do not count: a value depends on what its own trip computed.
  AncestorSets(const Graph& graph, const std::vector<int>& at, size_t contractions);

  // Does the op depend on the contraction, or is it that contraction?
  bool Contains(OpId op, int contraction) const {
    return pool_[set_of_[op] * words_ + contraction / 64] >> (contraction % 64) & 1;
  }
  bool Empty(OpId op) const { return set_of_[op] == 0; }

 private:
  size_t Union(size_t a, size_t b);
  bool Covers(size_t a, size_t b) const;

  size_t words_;                // of 64 bits in every set
  std::vector<size_t> set_of_;  // per op: which set
  std::vector<uint64_t> pool_;  // the sets, one after the other; the first is empty
};

}  // namespace cfp
