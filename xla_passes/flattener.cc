// Calls, tuples and plain ops; see flattener.h.
#include "flattener.h"

#include <algorithm>
#include <string>
#include <utility>

#include "hash.h"
#include "hlo_error.h"
#include "operand_counts.h"

namespace cfp {
namespace {

constexpr int kMaxCallDepth = 1000;
constexpr uint32_t kMaxTupleDepth = 64;
constexpr size_t kMaxSpent = size_t{1} << 22;  // instructions evaluated and tuple leaves copied

}  // namespace

FlatGraph Flatten(HloModule module) { return Flattener(std::move(module)).Run(); }

Flattener::Flattener(HloModule module)
    : flat_{Graph{std::move(module), {}, {}, {}, {}, {}, {}, {}}, {}, {}},
      graph_(flat_.graph),
      links_(graph_.module),
      summaries_(SummarizeComputations(graph_.module, links_)) {}

FlatGraph Flattener::Run() {
  const size_t expected = graph_.module.instructions.size() * 5 / 4;
  graph_.ops.reserve(expected);
  graph_.operand_pool.reserve(2 * expected);
  AddRegion(-1, Opcode::kCall);
  const Value root = Evaluate(links_.entry(), nullptr, {0, -1});
  graph_.results = Leaves(root);
  return std::move(flat_);
}

Value Flattener::Evaluate(uint32_t computation, const std::vector<Value>* arguments, Place place) {
  const Computation& called = graph_.module.computations[computation];
  if (++depth_ > kMaxCallDepth) throw HloError("HLO: calls nested more than 1000 deep");
  const Frame frame = {called.begin, values_.size(), place, arguments};
  values_.resize(frame.base + (called.end - called.begin));
  for (uint32_t i = called.begin; i < called.end; ++i) {
    const Value value = EvaluateInstruction(frame, i);
    values_[frame.base + (i - called.begin)] = value;
  }
  const Value result = values_[frame.base + (links_.root(computation) - called.begin)];
  values_.resize(frame.base);
  --depth_;
  return result;
}

Value Flattener::EvaluateInstruction(const Frame& frame, uint32_t instruction) {
  Spend(1);
  switch (graph_.module.instructions[instruction].opcode) {
    case Opcode::kParameter:
      return EvaluateParameter(frame, instruction);
    case Opcode::kTuple:
      return Tuple(Operands(frame, instruction));
    case Opcode::kGetTupleElement:
      return EvaluateElement(frame, instruction);
    case Opcode::kOptimizationBarrier:
    case Opcode::kAsyncUpdate:
    case Opcode::kAsyncDone:
      return Operand(frame, instruction, 0);
    case Opcode::kCall:
    case Opcode::kFusion:
    case Opcode::kAsyncStart:
      return EvaluateCall(frame, instruction);
    case Opcode::kWhile:
      return EvaluateWhile(frame, instruction);
    case Opcode::kConditional:
      return EvaluateConditional(frame, instruction);
    default:
      return EvaluateOp(frame, instruction);
  }
}

Value Flattener::EvaluateParameter(const Frame& frame, uint32_t instruction) {
  const HloModule& module = graph_.module;
  const int64_t number = module.attributes(module.instructions[instruction]).index;
  if (frame.arguments != nullptr) {
    if (number >= 0 && static_cast<size_t>(number) < frame.arguments->size()) {
      return (*frame.arguments)[number];
    }
    Fail(instruction, "is parameter " + std::to_string(number) + " of a computation called with " +
                          std::to_string(frame.arguments->size()) + " arguments");
  }
  if (number < 0 || static_cast<size_t>(number) >= graph_.module.instructions.size()) {
    Fail(instruction, "has the parameter number " + std::to_string(number));
  }
  if (graph_.parameters.size() <= static_cast<size_t>(number)) {
    graph_.parameters.resize(number + 1, kNoOp);
  }
  OpId& parameter = graph_.parameters[number];
  if (parameter != kNoOp) Fail(instruction, "is a second parameter " + std::to_string(number));
  parameter = static_cast<OpId>(graph_.ops.size());
  return EvaluateOp(frame, instruction);
}

Value Flattener::EvaluateOp(const Frame& frame, uint32_t instruction) {
  const Instruction& source = graph_.module.instructions[instruction];
  Op op;
  op.opcode = source.opcode;
  op.shape = source.shape;
  op.region = frame.place.region;
  op.call = frame.place.call;
  op.instruction = static_cast<int32_t>(instruction);
  op.fingerprint = source.fingerprint;
  for (const uint32_t called : links_.called(instruction)) {
    op.fingerprint = MixHash(op.fingerprint, summaries_[called].hash);
    op.combiner =
        summaries_[called].combiner;  // select-and-scatter calls two; the second one combines
  }
  std::vector<OpId> operands;
  for (size_t i = 0; i < links_.operands(instruction).size(); ++i) {
    AppendLeaves(Operand(frame, instruction, i), &operands);
  }
  CheckOperandCount(instruction, operands.size());
  const OpId id = AddOp(op, operands);
  return Results(id);
}

void Flattener::CheckOperandCount(uint32_t instruction, size_t count) const {
  const OperandCount expected = OperandCountOf(graph_.module.instructions[instruction].opcode);
  if (count >= expected.least && count <= expected.most) return;
  const char* bound = expected.least == expected.most ? "" : "at least ";
  Fail(instruction, "has " + std::to_string(count) + " operands, expected " + bound +
                        std::to_string(expected.least));
}

Value Flattener::EvaluateCall(const Frame& frame, uint32_t instruction) {
  const std::vector<Value> arguments = Operands(frame, instruction);
  const auto call = static_cast<int32_t>(graph_.calls.size());
  graph_.calls.push_back({static_cast<int32_t>(instruction), frame.place.call});
  return Evaluate(Called(instruction, 0), &arguments, {frame.place.region, call});
}

Value Flattener::EvaluateElement(const Frame& frame, uint32_t instruction) {
  const Value tuple = Operand(frame, instruction, 0);
  const HloModule& module = graph_.module;
  const int64_t index = module.attributes(module.instructions[instruction]).index;
  if (tuple.op != kNoOp) Fail(instruction, "takes an element of what is no tuple");
  if (index < 0 || index >= tuple.size) {
    Fail(instruction,
         "takes element " + std::to_string(index) + " of a tuple of " + std::to_string(tuple.size));
  }
  return elements_[tuple.begin + index];
}

Value Flattener::Operand(const Frame& frame, uint32_t instruction, size_t position) const {
  const Span<uint32_t> operands = links_.operands(instruction);
  if (position >= operands.size()) Fail(instruction, "has no operand " + std::to_string(position));
  return values_[frame.base + (operands[position] - frame.begin)];
}

std::vector<Value> Flattener::Operands(const Frame& frame, uint32_t instruction) const {
  std::vector<Value> values;
  for (size_t i = 0; i < links_.operands(instruction).size(); ++i) {
    values.push_back(Operand(frame, instruction, i));
  }
  return values;
}

uint32_t Flattener::Called(uint32_t instruction, size_t position) const {
  const Span<uint32_t> called = links_.called(instruction);
  if (position >= called.size()) {
    Fail(instruction, "names no computation " + std::to_string(position) + " to call");
  }
  return called[position];
}

Value Flattener::Tuple(const std::vector<Value>& elements) {
  Value tuple;
  tuple.begin = static_cast<uint32_t>(elements_.size());
  tuple.size = static_cast<uint32_t>(elements.size());
  for (const Value& element : elements) tuple.depth = std::max(tuple.depth, element.depth + 1);
  if (tuple.depth > kMaxTupleDepth) throw HloError("HLO: tuples nested more than 64 deep");
  Spend(elements.size());
  elements_.insert(elements_.end(), elements.begin(), elements.end());
  return tuple;
}

Value Flattener::Results(OpId op) {
  const Op producer = graph_.ops[op];
  if (producer.shape.dtype != DType::kTuple) {
    Value array;
    array.op = op;
    return array;
  }
  std::vector<Value> elements;
  for (uint32_t i = 0; i < producer.shape.elements.size; ++i) {
    Op element;
    element.opcode = Opcode::kGetTupleElement;
    element.shape = graph_.module.shapes[producer.shape.elements.begin + i];
    element.region = producer.region;
    element.instruction = producer.instruction;
    element.call = producer.call;
    element.tuple_index = static_cast<int32_t>(i);
    element.fingerprint = MixHash(HashShape(graph_.module, element.shape), i);
    elements.push_back(Results(AddOp(element, {op})));
  }
  return Tuple(elements);
}

void Flattener::AppendLeaves(const Value& value, std::vector<OpId>* leaves) {
  Spend(1);
  if (value.op != kNoOp) {
    leaves->push_back(value.op);
    return;
  }
  for (uint32_t i = 0; i < value.size; ++i) AppendLeaves(elements_[value.begin + i], leaves);
}

std::vector<OpId> Flattener::Leaves(const Value& value) {
  std::vector<OpId> leaves;
  AppendLeaves(value, &leaves);
  return leaves;
}

Value Flattener::Rebuild(const Value& like, const std::vector<OpId>& leaves, size_t* next) {
  if (like.op != kNoOp) {
    Value leaf;
    leaf.op = leaves[(*next)++];
    return leaf;
  }
  std::vector<Value> elements;
  for (uint32_t i = 0; i < like.size; ++i) {
    elements.push_back(Rebuild(elements_[like.begin + i], leaves, next));
  }
  return Tuple(elements);
}

Shape Flattener::TupleShape(const std::vector<OpId>& elements) {
  Shape tuple;
  tuple.dtype = DType::kTuple;
  tuple.elements.begin = static_cast<uint32_t>(graph_.module.shapes.size());
  tuple.elements.size = static_cast<uint32_t>(elements.size());
  for (const OpId element : elements) graph_.module.shapes.push_back(graph_.ops[element].shape);
  return tuple;
}

OpId Flattener::AddOp(Op op, const std::vector<OpId>& operands) {
  op.operands_begin = static_cast<uint32_t>(graph_.operand_pool.size());
  op.operands_size = static_cast<uint32_t>(operands.size());
  graph_.operand_pool.insert(graph_.operand_pool.end(), operands.begin(), operands.end());
  const auto id = static_cast<OpId>(graph_.ops.size());
  Spend(1);
  graph_.ops.push_back(op);
  graph_.next.push_back(kNoOp);
  flat_.alias.push_back(id);
  return id;
}

void Flattener::Spend(size_t amount) {
  spent_ += amount;
  if (spent_ > kMaxSpent) {
    throw HloError("HLO: with its calls inlined the module has more than 4 million ops");
  }
}

void Flattener::Fail(uint32_t instruction, const std::string& what) const {
  const Instruction& source = graph_.module.instructions[instruction];
  throw HloError("HLO: " + std::string(source.opcode_text) + " \"" + std::string(source.name) +
                 "\" " + what);
}

}  // namespace cfp
