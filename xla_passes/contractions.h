// The contractions of a step, and which of them are forward, backward and recomputed: told by
// structure alone.
//
// Backward of F = dot(A, B) with result Y comes in pairs that share an operand of F with the roles
// of its dimensions swapped, and both read the cotangent of Y:
//   dA = dot(dY, B)   B's free dims are now contracted, its contracted dims free
//   dB = dot(A, dY)   likewise for A
// [B9] A contraction b is a gradient of F iff it shares an operand of F by value number, seen
// through transposes and converts, with free and contracted swapped and batch kept; its other
// operand has the extents of F's result and depends on F. An equal value number is a recomputation.
// A contraction that has a gradient is forward. Looking up rows of a parameter (an embedding
// gather) is a contraction over the vocabulary; its gradient is the scatter that adds by the same
// indices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ancestor_sets.h"
#include "partition_rules.h"
#include "value_numbers.h"

namespace cfp {

// What a dimension of an operand is to its contraction.
enum class Role : uint8_t { kOne, kBatch, kFree, kContracted, kSpatial };

// Free and contracted change places, the others stay: what a gradient does to the operand it keeps.
Role Exchanged(Role role);

enum class Phase : uint8_t { kForward, kBackward, kRecomputed };
std::string_view PhaseText(Phase phase);

struct Contraction {
  OpId op = kNoOp;
  Phase phase = Phase::kForward;
  // The contraction that this one is a gradient or a recomputation of; itself if forward.
  int forward = -1;
  int gradient_of = -1;        // backward: which operand of `forward` it is the gradient of
  int cotangent_operand = -1;  // backward: which of its own operands is the cotangent
  int gradients = 0;           // forward: bit i is set where operand i has a gradient
  bool is_lookup = false;      // a gather, or the scatter that is its gradient
  double flops = 0;            // in one step: times its loops' trips
  // Depends on a gradient, yet is nobody's gradient: kept as forward, and reported.
  bool unmatched = false;
};

struct Contractions {
  std::vector<Contraction> list;  // in canonical order
  std::vector<int> at;            // per op: its index in `list`, -1 elsewhere
  AncestorSets ancestors;
  // Per op: the latest forward contraction whose result's cotangent it is (seen through views), -1
  // for other ops.
  std::vector<int> cotangent_of;
  std::vector<bool> backward;  // per op: is a cotangent or a gradient, or follows one
  bool IsBackward(OpId op) const { return backward[op]; }
};

// Roles of the dimensions of operand `index` of a contraction, by position; `rule` is the
// contraction's.
std::vector<Role> OperandRoles(const Graph& graph, OpId contraction, const Rule& rule, int index);

Contractions FindContractions(const Graph& graph, const ValueNumbers& numbers);

}  // namespace cfp
