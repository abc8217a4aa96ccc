// The first half of BuildGraph: evaluates a module symbolically, instruction by instruction. An
// array evaluates to an op; a tuple to the tree of its elements, so tuple, get-tuple-element and
// opt-barrier leave nothing behind; a call evaluates to whatever the called computation's root
// evaluates to, given the operands.
//
//   t = tuple(a, b); g = get-tuple-element(t), index=1; d = dot(g, a)     ->   %2 = dot(%b, %a)
//
// Ops come out in the order in which they were met, dead ones included; graph_order.h does the
// rest.
#pragma once

#include <cstdint>
#include <vector>

#include "called_computation.h"
#include "graph.h"
#include "hlo_links.h"

namespace cfp {

struct FlatGraph {
  Graph graph;              // `next` and `results` still hold aliased ops
  std::vector<OpId> alias;  // per op: itself; of a loop-invariant carry: what it starts as
  std::vector<std::vector<OpId>> carries;  // per region, by index; none are loop-invariant

  OpId Resolve(OpId op) const {
    while (alias[op] != op) op = alias[op];
    return op;
  }
};

FlatGraph Flatten(HloModule module);

// What an instruction evaluates to.
struct Value {
  OpId op = kNoOp;     // of an array; kNoOp: a tuple
  uint32_t begin = 0;  // of a tuple: its elements, a run in Flattener::elements_
  uint32_t size = 0;
  uint32_t depth = 0;  // of tuples in tuples
};

class Flattener {
 public:
  explicit Flattener(HloModule module);
  FlatGraph Run();

 private:
  // Where the ops of a computation go: the region they are in, the call they come from.
  struct Place {
    int32_t region;
    int32_t call;  // in Graph::calls
  };
  // One computation while it is evaluated.
  struct Frame {
    uint32_t begin;  // its first instruction
    size_t base;     // whose value is values_[base]
    Place place;
    const std::vector<Value>* arguments;  // null: the entry, whose parameters become ops
  };
  struct Loop;

  Value Evaluate(uint32_t computation, const std::vector<Value>* arguments, Place place);
  Value EvaluateInstruction(const Frame& frame, uint32_t instruction);
  Value EvaluateParameter(const Frame& frame, uint32_t instruction);
  Value EvaluateOp(const Frame& frame, uint32_t instruction);
  void CheckOperandCount(uint32_t instruction, size_t count) const;
  Value EvaluateCall(const Frame& frame, uint32_t instruction);
  Value EvaluateWhile(const Frame& frame, uint32_t instruction);
  Value EvaluateConditional(const Frame& frame, uint32_t instruction);
  Value EvaluateElement(const Frame& frame, uint32_t instruction);

  Value Operand(const Frame& frame, uint32_t instruction, size_t position) const;
  std::vector<Value> Operands(const Frame& frame, uint32_t instruction) const;
  uint32_t Called(uint32_t instruction, size_t position) const;

  // Tuples.
  Value Tuple(const std::vector<Value>& elements);
  Value Results(OpId op);  // of an op with a tuple shape: a get-tuple-element for every leaf
  void AppendLeaves(const Value& value, std::vector<OpId>* leaves);
  std::vector<OpId> Leaves(const Value& value);
  Value Rebuild(const Value& like, const std::vector<OpId>& leaves, size_t* next);
  Shape TupleShape(const std::vector<OpId>& elements);

  // Loops and branches (flatten_regions.cc).
  int32_t AddRegion(int32_t parent, Opcode kind);
  OpId AddCarry(const Loop& loop, size_t index, uint32_t instruction);
  void CloseCarry(const Loop& loop, size_t index, uint32_t instruction);
  Value CloseLoop(const Loop& loop, const Value& initial, const Frame& frame, uint32_t instruction);
  void CheckBranch(const std::vector<OpId>& results, const std::vector<OpId>& of_first,
                   uint32_t instruction) const;
  OpId AddRegionOp(Opcode opcode, const std::vector<OpId>& results,
                   const std::vector<OpId>& operands, const Frame& frame, uint32_t instruction);

  OpId AddOp(Op op, const std::vector<OpId>& operands);
  void Spend(size_t amount);  // stops modules that flatten to absurd sizes
  [[noreturn]] void Fail(uint32_t instruction, const std::string& what) const;

  FlatGraph flat_;
  Graph& graph_;
  HloLinks links_;
  std::vector<CalledComputation> summaries_;
  std::vector<Value> values_;    // of all open frames
  std::vector<Value> elements_;  // of all tuples
  size_t spent_ = 0;
  int depth_ = 0;
};

}  // namespace cfp
