// Verify and Dump; see graph.h.
#include "graph.h"

#include <algorithm>

#include "hlo_error.h"

namespace cfp {
namespace {

[[noreturn]] void Fail(const Graph& graph, OpId id, const std::string& what) {
  const std::string_view opcode = OpcodeText(graph.ops[id].opcode);
  throw HloError("graph: %" + std::to_string(id) + " (" + std::string(opcode) + ") " + what);
}

void Require(bool holds, const Graph& graph, OpId id, const char* otherwise) {
  if (!holds) Fail(graph, id, otherwise);
}

bool IsOp(const Graph& graph, OpId id) {
  return id >= 0 && static_cast<size_t>(id) < graph.ops.size();
}

bool IsRun(Ints run, size_t pool_size) { return size_t{run.begin} + run.size <= pool_size; }

void VerifyOp(const Graph& graph, OpId id) {
  const Op& op = graph.ops[id];
  const Ints operands = {op.operands_begin, op.operands_size};
  Require(IsRun(operands, graph.operand_pool.size()), graph, id,
          "has operands outside the operand pool");
  Require(IsRun(op.shape.dims, graph.module.ints.size()), graph, id,
          "has dimensions outside the pool");
  Require(IsRun(op.shape.elements, graph.module.shapes.size()), graph, id,
          "has elements outside the pool");
  Require(op.region >= 0 && static_cast<size_t>(op.region) < graph.regions.size(), graph, id,
          "is in no region");
  Require(
      op.instruction >= 0 && static_cast<size_t>(op.instruction) < graph.module.instructions.size(),
      graph, id, "comes from no instruction");
  for (const OpId operand : graph.operands(id)) {
    const bool is_before = operand >= 0 && operand < id;
    if (!is_before) {
      Fail(graph, id, "reads %" + std::to_string(operand) + ", which is not before it");
    }
  }
}

void VerifyElement(const Graph& graph, OpId id) {
  const Op& op = graph.ops[id];
  Require(op.operands_size == 1, graph, id, "reads more or less than one tuple");
  const Shape& tuple = graph.ops[graph.operands(id)[0]].shape;
  const bool exists =
      op.tuple_index >= 0 && static_cast<uint32_t>(op.tuple_index) < tuple.elements.size;
  if (exists) return;
  Fail(graph, id,
       "reads element " + std::to_string(op.tuple_index) + " of a tuple of " +
           std::to_string(tuple.elements.size));
}

void VerifyCarry(const Graph& graph, OpId id) {
  const OpId next = graph.next[id];
  Require(IsOp(graph, next), graph, id, "has no next value");
  if (!SameShape(graph, id, next)) {
    Fail(graph, id, "and its next value %" + std::to_string(next) + " differ in shape");
  }
  Require(graph.regions[graph.ops[id].region].kind == Opcode::kLoop, graph, id, "is not in a loop");
}

void VerifyRegion(const Graph& graph, int32_t number) {
  const Region& region = graph.regions[number];
  const std::string name = "graph: region " + std::to_string(number);
  const bool has_parent =
      number == 0 ? region.parent == -1 : region.parent >= 0 && region.parent < number;
  if (!has_parent) throw HloError(name + " has no parent before it");
  if (number == 0) return;
  if (!IsOp(graph, region.owner)) throw HloError(name + " belongs to no op");
  Require(graph.ops[region.owner].region == region.parent, graph, region.owner,
          "owns a region elsewhere");
  Require(graph.ops[region.owner].opcode == region.kind, graph, region.owner,
          "owns a region of another kind");
  const bool has_condition = IsOp(graph, region.condition);
  Require(has_condition == (region.kind == Opcode::kLoop), graph, region.owner,
          "and its condition do not fit");
}

void AppendShape(const Graph& graph, const Shape& shape, std::string* out) {
  if (shape.dtype == DType::kTuple) {
    const char* separator = "(";
    for (const Shape& element : graph.module.list_shapes(shape.elements)) {
      *out += separator;
      AppendShape(graph, element, out);
      separator = ", ";
    }
    *out += shape.elements.size == 0 ? "()" : ")";
    return;
  }
  *out += DTypeText(shape.dtype);
  const char* separator = "[";
  for (const int64_t size : graph.module.list(shape.dims)) {
    *out += separator + std::to_string(size);
    separator = ",";
  }
  *out += shape.dims.size == 0 ? "[]" : "]";
}

void AppendOp(const Graph& graph, OpId id, std::string* out) {
  const Op& op = graph.ops[id];
  *out += "%" + std::to_string(id) + " = ";
  AppendShape(graph, op.shape, out);
  const bool unknown = op.opcode == Opcode::kUnknown;
  *out += ' ';
  *out += unknown ? graph.instruction(id).opcode_text : OpcodeText(op.opcode);
  const char* separator = "(";
  for (const OpId operand : graph.operands(id)) {
    *out += separator;
    *out += "%" + std::to_string(operand);
    separator = ", ";
  }
  *out += op.operands_size == 0 ? "()" : ")";
  if (op.tuple_index >= 0) *out += " index " + std::to_string(op.tuple_index);
  if (graph.next[id] != kNoOp) *out += " next %" + std::to_string(graph.next[id]);
  *out += "  region " + std::to_string(op.region);
  const std::string name = OpName(graph, id);
  if (!name.empty()) *out += "  \"" + name + "\"";
  *out += '\n';
}

void AppendRegion(const Graph& graph, size_t number, std::string* out) {
  const Region& region = graph.regions[number];
  *out += "region " + std::to_string(number) + ": " + std::string(OpcodeText(region.kind)) + " %" +
          std::to_string(region.owner) + " in region " + std::to_string(region.parent);
  if (region.kind == Opcode::kLoop) {
    *out += ", condition %" + std::to_string(region.condition) + ", ";
    *out += region.trip_count_known ? std::to_string(region.trip_count) : "unknown";
    *out += " trips";
  }
  *out += ", runs " + std::to_string(region.times) + " times\n";
}

void AppendList(const char* title, const std::vector<OpId>& ids, std::string* out) {
  *out += title;
  for (const OpId id : ids) *out += id == kNoOp ? " dead" : " %" + std::to_string(id);
  *out += '\n';
}

}  // namespace

bool SameDims(const Graph& graph, OpId left, OpId right) {
  const Span<int64_t> left_dims = graph.dims(left), right_dims = graph.dims(right);
  return std::equal(left_dims.begin(), left_dims.end(), right_dims.begin(), right_dims.end());
}

bool SameShape(const Graph& graph, OpId left, OpId right) {
  return graph.ops[left].shape.dtype == graph.ops[right].shape.dtype &&
         SameDims(graph, left, right);
}

std::string OpName(const Graph& graph, OpId id) {
  std::vector<std::string_view> parts = {graph.instruction(id).op_name};
  for (int32_t call = graph.ops[id].call; call != -1; call = graph.calls[call].outer) {
    parts.push_back(graph.module.instructions[graph.calls[call].instruction].op_name);
  }
  std::string name;
  for (size_t i = parts.size(); i-- > 0;) {
    if (!name.empty() && !parts[i].empty()) name += '/';
    name += parts[i];
  }
  return name;
}

void Verify(const Graph& graph) {
  if (graph.next.size() != graph.ops.size()) throw HloError("graph: not one next value per op");
  for (OpId id = 0; IsOp(graph, id); ++id) VerifyOp(graph, id);
  for (OpId id = 0; IsOp(graph, id); ++id) {
    if (graph.ops[id].opcode == Opcode::kGetTupleElement) VerifyElement(graph, id);
    if (graph.ops[id].opcode == Opcode::kCarry) VerifyCarry(graph, id);
  }
  for (size_t i = 0; i < graph.regions.size(); ++i) VerifyRegion(graph, static_cast<int32_t>(i));
  for (const OpId result : graph.results) {
    if (!IsOp(graph, result)) throw HloError("graph: a result is no op");
  }
}

std::string Dump(const Graph& graph) {
  std::string out;
  for (size_t i = 1; i < graph.regions.size(); ++i) AppendRegion(graph, i, &out);
  for (OpId id = 0; IsOp(graph, id); ++id) AppendOp(graph, id, &out);
  AppendList("parameters", graph.parameters, &out);
  AppendList("results", graph.results, &out);
  return out;
}

}  // namespace cfp
