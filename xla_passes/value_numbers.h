// Which values are the same value, and which arrays are the same array seen differently.
//
// Recomputation (remat), common subexpressions and the residuals that a forward scan stacks for its
// backward scan all show one value under several ops. A value number is the first op, in canonical
// order, that computes the value; two ops with one number are interchangeable.
//
//   %3 = dot(%x, %w)   …   %90 = dot(%x, %w)                   number(%90) == %3: recomputed
//   body of scan 1:  %9 = dynamic-update-slice(%stack, %y, i)  the stacked residual of %y …
//   body of scan 2: %40 = dynamic-slice(%stack', i)            … read back: number(%40) ==
//   number(%y)
#pragma once

#include <array>
#include <vector>

#include "graph.h"

namespace cfp {

struct ValueNumbers {
  std::vector<OpId> of;  // per op
};

// [B9] Numbers every op. Linear in the graph.
ValueNumbers NumberValues(const Graph& graph);

// An array looked at through transposes, converts, reverses, copies and reshapes that only move
// dims of size 1. dim[i] is the base's dimension behind dimension i of the array; -1 for a dim of
// size 1.
struct Peeled {
  static constexpr int kMaxRank = 12;
  OpId base = kNoOp;
  int rank = 0;
  std::array<int16_t, kMaxRank> dim{};
};

// [B9] Peels one array down to its base; the base is given by value number.
Peeled Peel(const Graph& graph, const ValueNumbers& numbers, OpId op);

// The value a stacked loop residual was stacked from, or kNoOp: op is a one-row dynamic-slice of a
// loop's result whose rows the loop writes one per trip.
OpId UnstackedResidual(const Graph& graph, OpId op);

}  // namespace cfp
