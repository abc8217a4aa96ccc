// Loops and branches: bodies are evaluated once, in a region of their own; see flattener.h and graph.h.
#include <algorithm>
#include <string>

#include "flattener.h"
#include "hash.h"
#include "trip_count.h"

namespace cfp {

// A while between the evaluation of its body and its becoming an op.
struct Flattener::Loop {
  int32_t region;
  std::vector<OpId> initial, carries, next;  // leaf by leaf
  OpId condition;
};

namespace {

bool SameShape(const Graph& graph, OpId left, OpId right) {
  const Span<int64_t> left_dims = graph.dims(left), right_dims = graph.dims(right);
  return graph.ops[left].shape.dtype == graph.ops[right].shape.dtype &&
         std::equal(left_dims.begin(), left_dims.end(), right_dims.begin(), right_dims.end());
}

}  // namespace

int32_t Flattener::AddRegion(int32_t parent, Opcode kind) {
  Region region;
  region.parent = parent;
  region.kind = kind;
  graph_.regions.push_back(region);
  flat_.carries.emplace_back();
  return static_cast<int32_t>(graph_.regions.size()) - 1;
}

OpId Flattener::AddCarry(const Loop& loop, size_t index, uint32_t instruction) {
  const OpId initial = loop.initial[index];
  Op carry;
  carry.opcode = Opcode::kCarry;
  carry.shape = graph_.ops[initial].shape;
  carry.region = loop.region;
  carry.tuple_index = static_cast<int32_t>(index);
  carry.instruction = static_cast<int32_t>(instruction);
  carry.fingerprint = MixHash(HashShape(graph_.module, carry.shape), static_cast<uint64_t>(Opcode::kCarry));
  return AddOp(carry, {initial});
}

Value Flattener::EvaluateWhile(const Frame& frame, uint32_t instruction) {
  const Value initial = Operand(frame, instruction, 0);
  Loop loop;
  loop.region = AddRegion(frame.region, Opcode::kLoop);
  loop.initial = Leaves(initial);
  for (size_t i = 0; i < loop.initial.size(); ++i) loop.carries.push_back(AddCarry(loop, i, instruction));
  size_t next_leaf = 0;
  const std::vector<Value> argument = {Rebuild(initial, loop.carries, &next_leaf)};
  const std::vector<OpId> condition = Leaves(Evaluate(Called(instruction, 1), &argument, loop.region));
  if (condition.size() != 1) Fail(instruction, "has a condition that is not one value");
  loop.condition = condition[0];
  loop.next = Leaves(Evaluate(Called(instruction, 0), &argument, loop.region));
  if (loop.next.size() != loop.carries.size()) {
    Fail(instruction, "carries " + std::to_string(loop.carries.size()) + " values but its body returns " +
                          std::to_string(loop.next.size()));
  }
  return CloseLoop(loop, initial, frame, instruction);
}

Value Flattener::CloseLoop(const Loop& loop, const Value& initial, const Frame& frame, uint32_t instruction) {
  for (size_t i = 0; i < loop.carries.size(); ++i) CloseCarry(loop, i, instruction);
  const OpId owner = AddRegionOp(Opcode::kLoop, loop.next, loop.next, frame, instruction);
  Region& region = graph_.regions[loop.region];
  region.owner = owner;
  region.condition = loop.condition;
  ReadTripCount(flat_, loop.region);
  uint64_t& fingerprint = graph_.ops[owner].fingerprint;
  fingerprint = MixHash(fingerprint, static_cast<uint64_t>(region.trip_count));

  std::vector<OpId> leaves = Leaves(Results(owner));
  for (size_t i = 0; i < leaves.size(); ++i) {
    const OpId carry = loop.carries[i];
    if (flat_.alias[carry] != carry) leaves[i] = loop.initial[i];
  }
  size_t next_leaf = 0;
  return Rebuild(initial, leaves, &next_leaf);
}

void Flattener::CloseCarry(const Loop& loop, size_t index, uint32_t instruction) {
  const OpId carry = loop.carries[index], next = loop.next[index];
  if (Resolve(next) == carry) {
    flat_.alias[carry] = loop.initial[index];
    return;
  }
  if (!SameShape(graph_, carry, next)) Fail(instruction, "changes the shape of carry " + std::to_string(index));
  graph_.next[carry] = next;
  flat_.carries[loop.region].push_back(carry);
}

OpId Flattener::AddRegionOp(Opcode opcode, const std::vector<OpId>& results, const std::vector<OpId>& operands,
                            const Frame& frame, uint32_t instruction) {
  Op op;
  op.opcode = opcode;
  op.shape = TupleShape(results);
  op.region = frame.region;
  op.instruction = static_cast<int32_t>(instruction);
  op.fingerprint = MixHash(kHashSeed, static_cast<uint64_t>(opcode));
  for (const OpId result : results) {
    op.fingerprint = MixHash(op.fingerprint, HashShape(graph_.module, graph_.ops[result].shape));
  }
  return AddOp(op, operands);
}

Value Flattener::EvaluateConditional(const Frame& frame, uint32_t instruction) {
  std::vector<OpId> operands = Leaves(Operand(frame, instruction, 0));
  if (operands.size() != 1) Fail(instruction, "has a selector that is not one value");
  const size_t branches = links_.called(instruction).size();
  std::vector<OpId> results;
  Value structure;
  std::vector<int32_t> regions;
  for (size_t branch = 0; branch < branches; ++branch) {
    regions.push_back(AddRegion(frame.region, Opcode::kBranch));
    const std::vector<Value> argument = {Operand(frame, instruction, branch + 1)};
    structure = Evaluate(Called(instruction, branch), &argument, regions.back());
    const std::vector<OpId> leaves = Leaves(structure);
    if (branch == 0) results = leaves;
    if (leaves.size() != results.size()) Fail(instruction, "has branches with different numbers of results");
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (!SameShape(graph_, leaves[i], results[i])) Fail(instruction, "has branches with different result shapes");
    }
    operands.insert(operands.end(), leaves.begin(), leaves.end());
  }
  if (branches == 0) Fail(instruction, "has no branches");
  const OpId owner = AddRegionOp(Opcode::kBranch, results, operands, frame, instruction);
  for (const int32_t region : regions) graph_.regions[region].owner = owner;
  const std::vector<OpId> leaves = Leaves(Results(owner));
  size_t next_leaf = 0;
  return Rebuild(structure, leaves, &next_leaf);
}

}  // namespace cfp
