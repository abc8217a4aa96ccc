// Which forward contractions share a ParallelBlock.
//
// A contraction with a weight is always a root of its own (B5). A contraction of two activations is
// absorbed when a split that starts at a free dimension of some weight goes through it
// uncontracted:
//
//   q = x·Wq  k = x·Wk       scores[b,h,s,t] = q[b,s,h,d] · k[b,t,h,d]
//   the free dimension of Wq becomes (h, d); h is a batch dimension of the scores: it passes, and
//   {q, k, scores} is one block. With a single head only d is left, which is contracted: three
//   blocks.
//
// One pass over the ops in canonical order carries three things: the nearest contraction upstream
// (`up`), whether the value is a normalisation still waiting for its consumer (`pending`), and the
// weight splits that reach it.
#pragma once

#include <string>
#include <vector>

#include "contractions.h"
#include "weight_splits.h"

namespace cfp {

// Why a contraction is in its block; the text is the clause of docs/spec.md.
enum class Join : uint8_t {
  kRoot,
  kUnited,
  kExchanged,
  kFollows,
  kSibling,
  kGradient,
  kRecomputed
};
std::string_view JoinLabel(Join join);  // "B5.2"
std::string_view JoinText(Join join);   // "unites its producers"

struct Grouping {
  std::vector<int> block_of;  // per contraction: the least contraction of its block
  std::vector<Join> join;     // per contraction
  std::vector<int> up;        // per op: nearest forward contraction upstream, -1 for none
  // Per op: a normalisation, to be owned by the contraction that reads it.
  std::vector<bool> pending;
  // Per op: depends on a contraction or on a loop's state, not on inputs alone.
  std::vector<bool> activation;
  std::vector<FusedFactor> fused;
};

// The operand of a contraction that is a weight; -1 where both are activations. [B5]
int WeightOperand(const Graph& graph, const Contractions& contractions, const Grouping& grouping,
                  int contraction);

Grouping GroupContractions(const Graph& graph, const ValueNumbers& numbers,
                           const Contractions& contractions);

}  // namespace cfp
