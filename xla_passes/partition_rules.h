// What splitting a dimension does to an op, as data: the only place that switches on opcodes.
//
// [B1] Each dimension of an op's operands and results is a product of *factors*, major to minor; a
// rule lists the factors and where each one stands. Everything after this file reasons about
// factors and knows no opcode.
//
//   reshape f32[8,64] -> f32[8,4,16]
//     factors   8 pass    operand (dim 0, outer 1)   result (dim 0, outer 1)
//               4 pass    operand (dim 1, outer 1)   result (dim 1, outer 1)
//              16 pass    operand (dim 1, outer 4)   result (dim 2, outer 1)
//   dot [b,m,k]·[k,n]
//     b, m and n pass; k is reduced: on both operands, not on the result, which is a partial sum
//
// Dimensions of size 1 carry no factor. An op with no rule is a barrier: every dimension
// kReplicate.
#pragma once

#include <cstdint>
#include <vector>

#include "graph.h"

namespace cfp {

enum class FactorKind : uint8_t {
  kPass,       // a split goes through untouched
  kReduced,    // summed over (or max, or …): split operands give a partial result
  kReplicate,  // the op needs this dimension whole
  kHalo,       // neighbours must exchange edges (convolution and window spatial dims)
  kPermute,    // shards must move (reverse, sliced or concatenated dim)
};

// Where a factor stands in one array: `outer` is the product of the more major factors of the same
// dimension, so outer == 1 means major-most. dim == -1: the factor is not on this array.
struct Site {
  int16_t dim = -1;
  int64_t outer = 1;
};

struct Factor {
  int64_t size = 1;
  FactorKind kind = FactorKind::kPass;
};

struct Rule {
  const char* label = "";  // of the clause in docs/spec.md, "R4"
  bool barrier = false;    // nobody knows this op: kept whole, and reported
  int num_operands = 0;
  std::vector<Factor> factors;
  // Per factor: one site per operand, then one for the result (all results alike).
  std::vector<Site> sites;

  const Site& operand_site(size_t factor, size_t operand) const {
    return sites[factor * (num_operands + 1) + operand];
  }
  const Site& result_site(size_t factor) const {
    return sites[factor * (num_operands + 1) + num_operands];
  }
};

// Fills `rule` (whose vectors are reused) for one op.
void FillPartitionRule(const Graph& graph, OpId op, Rule* rule);

// A contraction sums a product of two arrays over shared factors: dot, convolution, ragged-dot,
// scaled-dot. A dot that sums over nothing is an outer product, which splits like any elementwise
// op, and is not a contraction.
bool IsContraction(const Graph& graph, OpId op);

// Elementwise, transposes, reshapes, converts and broadcasts neither mix nor look anything up.
bool IsElementwise(Opcode opcode);

// The same elements laid out or typed differently: transposes, reshapes, converts.
bool IsView(Opcode opcode);

}  // namespace cfp
