// ParallelBlocks: groups of ops through which a split of the root propagates without communication,
// other than what the strategy declares.
//
//   graph, value numbers --FindContractions--> forward / backward / recomputed
//                        --GroupContractions--> contractions that share a block
//                        --FindBlocks-->        every op has an owner, with the clause that says
//                        why
//
// Of a GPT layer: {norm, q, k, q·kᵀ, softmax, v, a·v} {o, residual} {norm, w1, gelu} {w2,
// residual}, each with its gradients. Masks, constants and random bits have no owner: every reader
// computes its own.
#pragma once

#include <string>
#include <vector>

#include "grouping.h"

namespace cfp {

// Why an op has the owner it has; every clause is in docs/spec.md.
enum class Because : uint8_t {
  kNoActivation,  // depends on inputs alone: every reader computes its own
  kContraction,   // is a contraction of the block
  kProducer,      // forward, follows the contraction that feeds it
  kReader,        // a normalisation, computed by the one block that reads it
  kManyReaders,   // a normalisation that several blocks read: a block without contraction
  kNoReader,      // a normalisation that no contraction reads: the loss, a metric
  kJoinsScalars,  // a scalar made of scalars of several blocks (total loss): the same tiny sum
                  // everywhere
  kLoopState,     // enters a loop's body: its layout is the loop's, not that of the block before it
  kFollowsUpdate,  // backward, made from updated parameters alone (a norm of the weights)
  kRecomputed,     // computes again what another op computed
  kCotangent,      // is the cotangent that a gradient of the block reads
  kResidual,       // backward, uses a forward value of the block
  kUpstream,       // backward, continues what feeds it
  kOptimizer,      // updates a parameter or its optimizer state
};
std::string_view BecauseLabel(Because because);  // "B10.3"
std::string_view BecauseText(Because because);

enum class OwnerKind : uint8_t { kNobody, kBlock, kOptimizer };

struct Owner {
  OwnerKind kind = OwnerKind::kNobody;
  int index = -1;  // of a block, or the number of the entry parameter an optimizer chain updates
  Because because = Because::kNoActivation;
};

struct ParallelBlock {
  // Forward ones first, each part in canonical order; empty for a shared normalisation.
  std::vector<int> contractions;
  std::vector<OpId> ops;  // canonical order
  int forward_count = 0;  // of `contractions`
  double flops = 0;       // of all its contractions in one step
};

struct Blocks {
  std::vector<ParallelBlock> list;  // in order of their first forward op
  std::vector<Owner> owner;         // per op
};

Blocks FindBlocks(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
                  const Grouping& grouping);

}  // namespace cfp
