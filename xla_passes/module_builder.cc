#include "module_builder.h"

#include <algorithm>
#include <utility>

#include "hlo_fields.h"
#include "hlo_reader.h"
#include "op_sharding.h"
#include "wire.h"

namespace cfp {
namespace {

// Beyond what the reader needs.
enum OwnModuleField : uint32_t { kHostProgramShape = 4 };
enum ProgramShapeField : uint32_t { kParameters = 1, kResult = 2, kParameterNames = 3 };

std::string Packed(const std::vector<int64_t>& values) {
  std::string out;
  for (const int64_t value : values) AppendVarint(&out, static_cast<uint64_t>(value));
  return out;
}

// What ties an instruction to its place in the source.
bool IsTie(uint32_t field) {
  switch (field) {
    case InstructionField::kName:
    case InstructionField::kMetadata:
    case InstructionField::kId:
    case InstructionField::kOperands:
    case InstructionField::kControlPredecessors:
    case InstructionField::kSharding:
    case InstructionField::kOriginalValue:
      return true;
    default:
      return false;
  }
}

std::string Untied(std::string_view instruction) {
  std::string out;
  WireReader reader(instruction);
  for (WireField field; reader.Next(&field);) {
    if (!IsTie(field.number)) out.append(field.wire);
  }
  return out;
}

std::string ShapeFieldOf(std::string_view instruction) {
  WireReader reader(instruction);
  for (WireField field; reader.Next(&field);) {
    if (field.number == InstructionField::kShape) return std::string(field.bytes);
  }
  return "";
}

int64_t UnusedComputationId(const HloModule& module) {
  int64_t greatest = 0;
  for (const Computation& computation : module.computations) {
    greatest = std::max(greatest, computation.id);
  }
  return greatest + 1;
}

}  // namespace

ModuleBuilder::ModuleBuilder(const HloModule& source, std::string_view name)
    : source_(source),
      name_(name),
      computation_id_(UnusedComputationId(source)),
      first_id_(computation_id_ << 32),
      called_(source.computations.size()) {}

int64_t ModuleBuilder::AddParameter(const Shape& shape, const Note& note) {
  std::string fields;
  AppendBytesField(&fields, InstructionField::kOpcode, OpcodeText(Opcode::kParameter));
  AppendBytesField(&fields, InstructionField::kShape, ShapeBytes(shape));
  AppendVarintField(&fields, InstructionField::kParameterNumber, parameters_.size());
  parameters_.push_back(
      Append(std::move(fields), {}, {ShapeBytes(shape), note.sharding}, note.op_name));
  return parameters_.back();
}

int64_t ModuleBuilder::AddCopy(const Instruction& instruction, const std::vector<int64_t>& operands,
                               const Note& note) {
  for (const int64_t computation : source_.list(instruction.called)) Call(computation);
  return Append(Untied(instruction.wire), operands, {ShapeFieldOf(instruction.wire), note.sharding},
                note.op_name);
}

int64_t ModuleBuilder::AddElement(int64_t tuple, int index, const Shape& shape, const Note& note) {
  std::string fields;
  AppendBytesField(&fields, InstructionField::kOpcode, OpcodeText(Opcode::kGetTupleElement));
  AppendBytesField(&fields, InstructionField::kShape, ShapeBytes(shape));
  AppendVarintField(&fields, InstructionField::kTupleIndex, static_cast<uint64_t>(index));
  return Append(std::move(fields), {tuple}, {ShapeBytes(shape), note.sharding}, note.op_name);
}

std::string ModuleBuilder::Finish(const std::vector<int64_t>& outputs) {
  const int64_t root = AppendTuple(outputs);
  std::string program, module;
  for (const int64_t parameter : parameters_) {
    AppendBytesField(&program, kParameters, At(parameter).shape);
  }
  AppendBytesField(&program, kResult, At(root).shape);
  for (size_t p = 0; p < parameters_.size(); ++p) {
    AppendBytesField(&program, kParameterNames, "p" + std::to_string(p));
  }
  AppendBytesField(&module, ModuleField::kName, name_);
  AppendBytesField(&module, ModuleField::kEntryName, name_);
  AppendCalled(&module);
  AppendBytesField(&instructions_, ComputationField::kName, name_);
  AppendVarintField(&instructions_, ComputationField::kId, static_cast<uint64_t>(computation_id_));
  AppendVarintField(&instructions_, ComputationField::kRootId, static_cast<uint64_t>(root));
  AppendBytesField(&module, ModuleField::kComputations, instructions_);
  AppendBytesField(&module, kHostProgramShape, program);
  AppendVarintField(&module, ModuleField::kEntryId, static_cast<uint64_t>(computation_id_));
  AppendStackFrames(&module);
  return module;
}

std::string ModuleBuilder::ShapeBytes(const Shape& shape) const {
  std::string out;
  AppendVarintField(&out, ShapeField::kElementType, static_cast<uint64_t>(shape.dtype));
  const Span<int64_t> dims = source_.list(shape.dims);
  if (!dims.empty()) {
    AppendBytesField(&out, ShapeField::kDimensions, Packed({dims.begin(), dims.end()}));
  }
  for (const Shape& element : source_.list_shapes(shape.elements)) {
    AppendBytesField(&out, ShapeField::kTupleShapes, ShapeBytes(element));
  }
  return out;
}

int64_t ModuleBuilder::Append(std::string fields, const std::vector<int64_t>& operands, Added added,
                              const std::string& op_name) {
  const int64_t id = first_id_ + static_cast<int64_t>(added_.size());
  AppendBytesField(&fields, InstructionField::kName, name_ + "." + std::to_string(added_.size()));
  AppendVarintField(&fields, InstructionField::kId, static_cast<uint64_t>(id));
  if (!operands.empty()) AppendBytesField(&fields, InstructionField::kOperands, Packed(operands));
  if (!added.sharding.empty()) {
    AppendBytesField(&fields, InstructionField::kSharding, added.sharding);
  }
  std::string metadata;
  AppendBytesField(&metadata, MetadataField::kOpName, op_name);
  AppendBytesField(&fields, InstructionField::kMetadata, metadata);
  AppendBytesField(&instructions_, ComputationField::kInstructions, fields);
  added_.push_back(std::move(added));
  return id;
}

int64_t ModuleBuilder::AppendTuple(const std::vector<int64_t>& outputs) {
  std::string shape, fields;
  std::vector<std::string> shardings;
  AppendVarintField(&shape, ShapeField::kElementType, static_cast<uint64_t>(DType::kTuple));
  for (const int64_t output : outputs) {
    AppendBytesField(&shape, ShapeField::kTupleShapes, At(output).shape);
    shardings.push_back(At(output).sharding);
  }
  const bool all_said = std::none_of(shardings.begin(), shardings.end(),
                                     [](const std::string& s) { return s.empty(); });
  AppendBytesField(&fields, InstructionField::kOpcode, OpcodeText(Opcode::kTuple));
  AppendBytesField(&fields, InstructionField::kShape, shape);
  return Append(std::move(fields), outputs, {shape, all_said ? TupleSharding(shardings) : ""}, "");
}

void ModuleBuilder::Call(int64_t computation) {
  for (size_t c = 0; c < called_.size(); ++c) {
    if (source_.computations[c].id == computation) called_[c] = true;
  }
}

// The metadata of what is called names stack frames of the source.
void ModuleBuilder::AppendStackFrames(std::string* module) const {
  WireReader reader(ModuleBytes(*source_.bytes));
  for (WireField field; reader.Next(&field);) {
    if (field.number == ModuleField::kStackFrameIndex) module->append(field.wire);
  }
}

// Callees stand before their callers, in the source and here. Ids are kept: the one new computation
// has an id of its own, and its instructions carry it in theirs.
void ModuleBuilder::AppendCalled(std::string* module) const {
  std::vector<bool> reached = called_;
  for (size_t c = reached.size(); c-- > 0;) {
    const Computation& caller = source_.computations[c];
    for (uint32_t i = caller.begin; reached[c] && i < caller.end; ++i) {
      for (const int64_t id : source_.list(source_.instructions[i].called)) {
        for (size_t callee = 0; callee < c; ++callee) {
          if (source_.computations[callee].id == id) reached[callee] = true;
        }
      }
    }
  }
  for (size_t c = 0; c < reached.size(); ++c) {
    if (!reached[c]) continue;
    const Computation& computation = source_.computations[c];
    std::string bytes;
    AppendBytesField(&bytes, ComputationField::kName, computation.name);
    for (uint32_t i = computation.begin; i < computation.end; ++i) {
      AppendBytesField(&bytes, ComputationField::kInstructions, source_.instructions[i].wire);
    }
    AppendVarintField(&bytes, ComputationField::kId, static_cast<uint64_t>(computation.id));
    AppendVarintField(&bytes, ComputationField::kRootId,
                      static_cast<uint64_t>(computation.root_id));
    AppendBytesField(module, ModuleField::kComputations, bytes);
  }
}

}  // namespace cfp
