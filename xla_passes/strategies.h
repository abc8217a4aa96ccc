// The ways to split one ParallelBlock over one mesh axis, each with what it must communicate.
//
// A strategy is a *class*: root factors that are cut together because they meet (heads of q, k and
// v), or because their roots read one input (its batch, its sequence). Propagating the class
// through the block, op by op, finds every collective it needs; these, and no others, are what a
// compiler may insert.
//
//   block {norm, q, k, q·kᵀ, softmax, v, a·v} of a transformer layer
//     class batch       %h dim 0      no collective
//     class heads       Wq, Wk, Wv    no collective: column-parallel attention
//     class sequence/q  %h dim 1      gathers k and v   (variant: the queries' factor is kept)
//     class sequence/k  %h dim 1      gathers q, small all-reduces in softmax, all-reduces a·v
//     class contracted  %h dim 2      all-reduces q, k and v
#pragma once

#include <string>
#include <vector>

#include "parallel_blocks.h"
#include "split.h"

namespace cfp {

// Where a class starts.
enum class Origin : uint8_t {
  kBatch,       // a factor of the activation that the root passes through
  kWeight,      // a free dimension of the weight
  kContracted,  // what the root sums over
  kLate,        // a free factor first met inside the block
};
std::string_view OriginText(Origin origin);

enum class CollectiveKind : uint8_t {
  kAllReduce,
  kAllGather,
  kGatherPartials,  // of what no all-reduce combines: a maximum and its place
  kHalo,
};
std::string_view CollectiveText(CollectiveKind kind);

struct Collective {
  CollectiveKind kind = CollectiveKind::kAllReduce;
  OpId value = kNoOp;      // what is reduced or gathered
  OpId reader = kNoOp;     // the op that needs it
  int64_t size_bytes = 0;  // of the whole value; of partial results, of each one
};

// One value of the block, or one that it reads, and how it is cut.
struct Placed {
  OpId value = kNoOp;
  OpId reader = kNoOp;  // of an input: who needs it so
  Split split;
};

// A factor of a contraction's rule, cut inside its `within` most major parts (1 but for fused
// projections).
struct Seed {
  int contraction = -1;
  int factor = -1;
  int64_t within = 1;
  Origin origin = Origin::kBatch;
};

// An op of the block and what it works on.
struct OpWork {
  OpId op = kNoOp;
  Work work;
};

struct Strategy {
  Origin origin = Origin::kBatch;
  std::vector<Seed> seeds;  // cut together
  // Where a contraction met the class on two factors: the operand whose factor is kept.
  int variant = -1;
  OpId forked_at = kNoOp;  // that contraction
  int64_t granule = 1;     // largest number of equal pieces
  double split_flops = 0;  // of the block's forward FLOPs, those that the split divides
  std::vector<Collective> collectives;
  std::vector<Placed> inputs;   // activations and weights read from outside the block
  std::vector<Placed> members;  // ops of the block that are cut
  std::vector<OpWork> works;    // ops of the block whose work is divided
};

struct BlockStrategies {
  std::vector<Strategy> list;
  std::vector<std::string> dropped;  // classes given up, with the reason
};

// `block` is an index into `blocks.list`. [B3] [B4] [B8]
BlockStrategies FindStrategies(const Graph& graph, const ValueNumbers& numbers,
                               const Contractions& contractions, const Grouping& grouping,
                               const Blocks& blocks, int block);

}  // namespace cfp
