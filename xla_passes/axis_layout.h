// How every value of a step lies on each axis of a mesh, and what moves, once every block has its
// strategy and every argument its place.
//
//   h = x·W1     strategy: columns of W1          h cut on dim 1
//   y = h·W2     strategy: what it sums over      y whole, all-reduce
//   dW1 = xᵀ·dh  the gradient of an op on n       dW1 cut on dim 1, as W1 is
//   m' = …       follows what it reads            cut as dW1 and m are
// Strategies speak of the forward ops of blocks, gradients of contractions mirror them, and all
// else follows its operands by the partition rules. Two more things are settled by looking at
// readers: how an argument without a place would best lie, and which partial results need not be
// summed on every device because all who read them take a part (reduce-scatter).
#pragma once

#include <vector>

#include "forward_work.h"

namespace cfp {

// One axis of the mesh and what is decided on it.
struct Axis {
  int64_t size = 1;
  std::vector<int> choice;  // per block: a strategy, or kWhole
  // Per entry parameter; empty on every axis: as its readers would have it.
  std::vector<Split> stored;
};

struct OperandUse {
  OpId op = kNoOp;  // a contraction
  int operand = -1;
  Split split;  // dim -1: whole
};

enum class MovementKind : uint8_t {
  kAllReduce,
  kReduceScatter,
  kAllGather,
  kAllToAll,
  kGatherPartials,  // of what no all-reduce combines
  kHalo,
};
std::string_view MovementText(MovementKind kind);

struct Movement {
  MovementKind kind = MovementKind::kAllReduce;
  OpId value = kNoOp;
  OpId reader = kNoOp;  // kNoOp: the step's results
  int64_t times = 1;
};

struct AxisLayout {
  std::vector<Split> of;      // per op: how its result lies
  std::vector<Split> wanted;  // per entry parameter: how its readers would have it
  std::vector<OperandUse> uses;
  std::vector<Movement> movements;
};

// `continues` holds, per result of the step, the entry parameter whose next value it is, or -1.
// Axes are laid out one after the other: a later one cuts only what is left. Throws HloError where
// the axes do not fit the step or each other.
std::vector<AxisLayout> LayOut(const Analysis& analysis, const std::vector<Axis>& axes,
                               const std::vector<int>& continues);

}  // namespace cfp
