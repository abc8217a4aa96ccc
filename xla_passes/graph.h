// The whole train step as one flat list of ops in topological order: calls inlined, tuples
// dissolved, loop and branch bodies laid out once, in place, and dead ops gone.
//
//   while(tuple(0, x0, W))  body: (i, x, W) -> (i + 1, tanh(x · W), W)
// becomes
//   %1 = carry(%zero)         region 1, times = trip count
//   %2 = carry(%x0)           region 1
//   %3 = add(%1, %one)        region 1
//   %4 = dot(%2, %W)          region 1; W is loop-invariant, so it is the outer op itself
//   %5 = tanh(%4)             region 1
//   %6 = loop(%3, %5, %W)     region 0; get-tuple-element(%6, 1) is the last x
// A loop keeps one operand per element of its tuple, the invariant ones too, so indices stay as
// they were. The only cycle, from a carry to its next value, is not an operand edge: it is
// Graph::NextOf(carry).
//
// The order is canonical: a depth-first walk from the root that visits the deeper operand first
// (depth counts dots and convolutions; equal depths keep operand order). It depends on what is
// computed, never on names or on the order in which instructions happen to be listed, and it puts
// an encoder before the decoder that reads it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hlo_module.h"

namespace cfp {

using OpId = int32_t;
constexpr OpId kNoOp = -1;

struct Op {
  Opcode opcode = Opcode::kUnknown;
  Combiner combiner = Combiner::kNone;
  Shape shape;                                     // its lists live in Graph::module
  uint32_t operands_begin = 0, operands_size = 0;  // a run in Graph::operand_pool
  int32_t region = 0;
  // Of get-tuple-element and carry: which element (no instruction may name it).
  int32_t tuple_index = -1;
  int32_t instruction = 0;  // in Graph::module.instructions: attributes, name, provenance
  int32_t call = -1;        // in Graph::calls: the inlined call it was in; -1: none
  // Of opcode, shape, attributes and called computations: what makes two ops alike.
  uint64_t fingerprint = 0;
};

// One region per loop body and per branch of a conditional; region 0 is the program itself.
struct Region {
  int32_t parent = -1;
  Opcode kind = Opcode::kCall;  // kCall: region 0, kLoop, kBranch
  OpId owner = kNoOp;           // its kLoop or kBranch op
  OpId condition = kNoOp;       // of a loop: the value that decides to go on
  int64_t trip_count = 1;  // of a loop; 1 with `trip_count_known` false where it cannot be read off
  bool trip_count_known = true;
  int64_t times = 1;  // how often the region runs in one step: product of trip counts down to it
};

// A call that was inlined. Names inside a called computation go on where the name of the call ends.
struct Call {
  int32_t instruction = 0;  // in Graph::module.instructions
  int32_t outer = -1;       // in Graph::calls: the call around it; -1: none
};

struct Graph {
  HloModule module;
  std::vector<Op> ops;  // canonical topological order
  std::vector<OpId> operand_pool;
  std::vector<Region> regions;
  std::vector<Call> calls;
  std::vector<OpId> parameters;  // by parameter number; kNoOp where dead
  std::vector<OpId> results;     // the elements of the root
  std::vector<OpId> next;        // per op: a carry's next value, kNoOp elsewhere

  Span<OpId> operands(OpId id) const {
    const Op& op = ops[id];
    return {operand_pool.data() + op.operands_begin, op.operands_size};
  }
  Span<int64_t> dims(OpId id) const { return module.list(ops[id].shape.dims); }
  const Instruction& instruction(OpId id) const { return module.instructions[ops[id].instruction]; }
  const Attributes& attributes(OpId id) const { return module.attributes(instruction(id)); }
  const GatherAttributes& gather(OpId id) const { return module.gather(instruction(id)); }
  const ConvAttributes& conv(OpId id) const { return module.conv(instruction(id)); }
  OpId NextOf(OpId carry) const { return next[carry]; }

  // What an op's value is made of: its operands, and for one result of a loop the one value that
  // becomes it.
  Span<OpId> Reads(OpId id) const {
    const Span<OpId> own = operands(id);
    if (ops[id].opcode != Opcode::kGetTupleElement || ops[own[0]].opcode != Opcode::kLoop)
      return own;
    return {operands(own[0]).data + ops[id].tuple_index, 1};
  }
};

// Inlines, flattens, drops what is dead and orders. Throws HloError for a module that is not well
// formed (an operand that does not exist, a call of nothing, recursion).
Graph BuildGraph(HloModule module);

// Throws HloError naming the first thing that does not hold: operands precede their users, lists
// lie inside their pools, carries have a next value of the same shape, regions form a tree.
void Verify(const Graph& graph);

bool SameDims(const Graph& graph, OpId left, OpId right);
// Same element type, same dimensions.
bool SameShape(const Graph& graph, OpId left, OpId right);

// Where an op comes from in the user's program, from the outermost call down: the names of the
// calls and its own, `jit(step)/while/body/closed_call/dot_general`. Empty where the module does
// not say.
std::string OpName(const Graph& graph, OpId id);

// One op a line, `%12 = f32[8,4] dot(%3, %7)  region 1  "layer/mlp/dot_general"`.
std::string Dump(const Graph& graph);

}  // namespace cfp
