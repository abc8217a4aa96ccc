// Which dimension of which argument of the step each dimension of a value comes from.
//
//   h[b,s,d] = table[v,d] at tokens[b,s]     b: tokens dim 0, s: tokens dim 1, d: table dim 1
//   y[b,s,n] = h · W[d,n]                    b and s as in h, n: W dim 1
// This is what gives factors names that a person knows: the batch is what comes from dimension 0 of
// the data. Where several arguments meet in one dimension, data (what no optimizer updates) speaks
// before weights, else the first.
#pragma once

#include <vector>

#include "analysis.h"

namespace cfp {

struct DimOrigin {
  int parameter = -1;  // number of the entry parameter; -1: of none (iota, constants)
  int dim = -1;
};

class DimOrigins {
 public:
  explicit DimOrigins(const Analysis& analysis);

  DimOrigin of(OpId op, int dim) const { return pool_[begin_[op] + dim]; }

 private:
  DimOrigin Better(const DimOrigin& a, const DimOrigin& b) const;
  void Fill(const Graph& graph, OpId op, const Rule& rule);

  std::vector<size_t> begin_;  // per op: its dimensions in the pool
  std::vector<DimOrigin> pool_;
  std::vector<bool> trained_;  // per entry parameter: an optimizer updates it
};

}  // namespace cfp
