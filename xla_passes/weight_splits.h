// The splits that start at the free dimensions of weights, followed through the ops of their block.
//
// They decide which contractions share a block: heads start at the free dimension of Wq, come
// through bias, reshape and rotation, and pass q·kᵀ as a batch factor.
#pragma once

#include <vector>

#include "contractions.h"
#include "disjoint_sets.h"
#include "split.h"
#include "users.h"

namespace cfp {

// A weight's free factor that is sliced apart downstream into `parts` equal pieces: cut inside each
// of them.
struct FusedFactor {
  int contraction = -1;
  int factor = -1;
  int64_t parts = 1;
};

// How the splits of one block fare at a contraction.
struct Reach {
  int passing = 0;
  int contracted = 0;
};

class WeightSplits {
 public:
  WeightSplits(const Graph& graph, const Contractions& contractions)
      : graph_(graph), contractions_(contractions), users_(graph), at_(graph.ops.size()) {}

  // Starts the splits of a root's weight at the root's result; returns the factors that are cut
  // inside equal parts.
  std::vector<FusedFactor> Start(int root, int weight);

  // Carries the splits of one block from what an op reads to its result.
  void Flow(OpId op, int block, const DisjointSets& blocks);

  void Copy(OpId from, OpId to) { at_[to] = at_[from]; }

  // The splits of one block that arrive at a contraction of two activations.
  Reach Arriving(OpId contraction, int block, const DisjointSets& blocks);

 private:
  // A split that started at free factor `factor` of the weight of contraction `root`.
  struct Ride {
    int root = -1;
    int factor = -1;
    Split split;
  };

  Split Refine(OpId root, const Split& whole);

  const Graph& graph_;
  const Contractions& contractions_;
  const Users users_;
  std::vector<std::vector<Ride>> at_;  // per op
  Rule rule_;
};

}  // namespace cfp
