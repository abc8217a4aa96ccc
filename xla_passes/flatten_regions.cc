// Loops and branches: bodies are evaluated once, in a region of their own; see flattener.h and
// graph.h.
#include <string>

#include "flattener.h"
#include "hash.h"
#include "trip_count.h"

namespace cfp {

// A while between the evaluation of its body and its becoming an op.
struct Flattener::Loop {
  Place place;
  std::vector<OpId> initial, carries, next;  // leaf by leaf
  OpId condition;
};

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
  carry.region = loop.place.region;
  carry.call = loop.place.call;
  carry.tuple_index = static_cast<int32_t>(index);
  carry.instruction = static_cast<int32_t>(instruction);
  carry.fingerprint =
      MixHash(HashShape(graph_.module, carry.shape), static_cast<uint64_t>(Opcode::kCarry));
  return AddOp(carry, {initial});
}

Value Flattener::EvaluateWhile(const Frame& frame, uint32_t instruction) {
  const Value initial = Operand(frame, instruction, 0);
  Loop loop;
  loop.place = {AddRegion(frame.place.region, Opcode::kLoop), frame.place.call};
  loop.initial = Leaves(initial);
  for (size_t i = 0; i < loop.initial.size(); ++i) {
    loop.carries.push_back(AddCarry(loop, i, instruction));
  }
  size_t next_leaf = 0;
  const std::vector<Value> argument = {Rebuild(initial, loop.carries, &next_leaf)};
  const std::vector<OpId> condition =
      Leaves(Evaluate(Called(instruction, 1), &argument, loop.place));
  if (condition.size() != 1) Fail(instruction, "has a condition that is not one value");
  loop.condition = condition[0];
  loop.next = Leaves(Evaluate(Called(instruction, 0), &argument, loop.place));
  if (loop.next.size() != loop.carries.size()) {
    Fail(instruction, "carries " + std::to_string(loop.carries.size()) +
                          " values but its body returns " + std::to_string(loop.next.size()));
  }
  return CloseLoop(loop, initial, frame, instruction);
}

Value Flattener::CloseLoop(const Loop& loop, const Value& initial, const Frame& frame,
                           uint32_t instruction) {
  for (size_t i = 0; i < loop.carries.size(); ++i) CloseCarry(loop, i, instruction);
  const OpId owner = AddRegionOp(Opcode::kLoop, loop.next, loop.next, frame, instruction);
  Region& region = graph_.regions[loop.place.region];
  region.owner = owner;
  region.condition = loop.condition;
  ReadTripCount(flat_, loop.place.region);
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
  if (flat_.Resolve(next) == carry) {
    flat_.alias[carry] = loop.initial[index];
    return;
  }
  if (!SameShape(graph_, carry, next)) {
    Fail(instruction, "changes the shape of carry " + std::to_string(index));
  }
  graph_.next[carry] = next;
  flat_.carries[loop.place.region].push_back(carry);
}

OpId Flattener::AddRegionOp(Opcode opcode, const std::vector<OpId>& results,
                            const std::vector<OpId>& operands, const Frame& frame,
                            uint32_t instruction) {
  Op op;
  op.opcode = opcode;
  op.shape = TupleShape(results);
  op.region = frame.place.region;
  op.call = frame.place.call;
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
  if (branches == 0) Fail(instruction, "has no branches");
  std::vector<int32_t> regions;
  std::vector<OpId> results;  // of the first branch
  Value structure;
  for (size_t branch = 0; branch < branches; ++branch) {
    regions.push_back(AddRegion(frame.place.region, Opcode::kBranch));
    const std::vector<Value> argument = {Operand(frame, instruction, branch + 1)};
    const Place place = {regions.back(), frame.place.call};
    structure = Evaluate(Called(instruction, branch), &argument, place);
    const std::vector<OpId> leaves = Leaves(structure);
    if (branch == 0) results = leaves;
    CheckBranch(leaves, results, instruction);
    operands.insert(operands.end(), leaves.begin(), leaves.end());
  }
  const OpId owner = AddRegionOp(Opcode::kBranch, results, operands, frame, instruction);
  for (const int32_t region : regions) graph_.regions[region].owner = owner;
  size_t next_leaf = 0;
  return Rebuild(structure, Leaves(Results(owner)), &next_leaf);
}

void Flattener::CheckBranch(const std::vector<OpId>& results, const std::vector<OpId>& of_first,
                            uint32_t instruction) const {
  if (results.size() != of_first.size()) {
    Fail(instruction, "has branches with different numbers of results");
  }
  for (size_t i = 0; i < results.size(); ++i) {
    if (SameShape(graph_, results[i], of_first[i])) continue;
    Fail(instruction, "has branches with different shapes of result " + std::to_string(i));
  }
}

}  // namespace cfp
