// One walk over the wire; see hlo_reader.h.
#include "hlo_reader.h"

#include <utility>

#include "hash.h"
#include "hlo_attributes.h"
#include "hlo_error.h"
#include "hlo_fields.h"
#include "hlo_shape.h"
#include "hlo_source.h"
#include "wire.h"

namespace cfp {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 31;  // protobuf's own limit
constexpr size_t kUsualIntegers = 6;  // dimensions, operands and attributes of one instruction

// Fields that name, number, place or annotate an instruction without changing what it computes, and
// those that the fingerprint takes in another way. Every other field counts, also one that this
// core has never heard of.
bool IsLeftOutOfFingerprint(uint32_t number) {
  switch (number) {
    case InstructionField::kName:
    case InstructionField::kShape:    // hashed without its layout
    case InstructionField::kLiteral:  // hashed without its shape
    case InstructionField::kMetadata:
    case InstructionField::kParameterNumber:  // so that the weights of two layers look alike
    case InstructionField::kChannelId:
    case InstructionField::kId:
    case InstructionField::kOperands:
    case InstructionField::kControlPredecessors:
    case InstructionField::kCalled:
    case InstructionField::kSharding:
    case InstructionField::kBackendConfig:  // counts for custom calls only
    case InstructionField::kAllReduceId:
    case InstructionField::kDomainEntrySharding:
    case InstructionField::kDomainExitSharding:
    case InstructionField::kConstrainLayout:
    case InstructionField::kOperandShapesWithLayout:
    case InstructionField::kParameterReplication:
    case InstructionField::kFrontendAttributes:
    case InstructionField::kOutputOperandAliasing:
    case InstructionField::kCustomCallSchedule:
    case InstructionField::kStatisticsViz:
    case InstructionField::kOriginalValue:
      return true;
    default:
      return false;
  }
}

uint64_t HashLiteral(uint64_t hash, WireReader literal) {
  for (WireField field; literal.Next(&field);) {
    if (field.number != LiteralField::kShape) hash = HashBytes(hash, field.wire);
  }
  return hash;
}

class ModuleReader {
 public:
  explicit ModuleReader(HloModule* module) : module_(*module), shapes_(module), sources_(module) {}

  void ReadModule(WireReader reader) {
    ReadStackFrames(reader);
    for (WireField field; reader.Next(&field);) {
      switch (field.number) {
        case ModuleField::kName:
          module_.name = reader.Bytes(field);
          break;
        case ModuleField::kEntryId:
          module_.entry_id = reader.Integer(field);
          break;
        case ModuleField::kComputations:
          ReadComputation(reader.Message(field));
          break;
      }
    }
    if (module_.computations.empty()) throw HloError("HLO proto: a module without computations");
  }

 private:
  // The table of frames stands behind the instructions that refer to it.
  void ReadStackFrames(WireReader reader) {
    for (WireField field; reader.Next(&field);) {
      if (field.number == ModuleField::kStackFrameIndex) {
        sources_.ReadStackFrameIndex(reader.Message(field));
      }
    }
    sources_.ResolveStackFrames();
  }

  void ReadComputation(WireReader reader) {
    Computation computation;
    computation.begin = static_cast<uint32_t>(module_.instructions.size());
    for (WireField field; reader.Next(&field);) {
      switch (field.number) {
        case ComputationField::kName:
          computation.name = reader.Bytes(field);
          break;
        case ComputationField::kInstructions:
          ReadInstruction(reader, field);
          break;
        case ComputationField::kId:
          computation.id = reader.Integer(field);
          break;
        case ComputationField::kRootId:
          computation.root_id = reader.Integer(field);
          break;
        case ComputationField::kIsFusion:
          computation.is_fusion = reader.Integer(field) != 0;
          break;
      }
    }
    computation.end = static_cast<uint32_t>(module_.instructions.size());
    module_.computations.push_back(computation);
  }

  void ReadInstruction(const WireReader& computation, const WireField& whole) {
    Instruction& instruction = module_.instructions.emplace_back();
    instruction.wire = computation.Bytes(whole);
    WireReader reader = computation.Message(whole);
    uint64_t hash = kHashSeed;
    Ints slices;
    std::string_view backend_config;
    for (WireField field; reader.Next(&field);) {
      if (!IsLeftOutOfFingerprint(field.number)) hash = HashBytes(hash, field.wire);
      if (field.number == InstructionField::kBackendConfig) backend_config = reader.Bytes(field);
      ReadField(reader, field, &instruction, &hash);
      ReadAttribute(reader, field, &module_, &instruction, &slices);
    }
    if (instruction.opcode_text.empty()) {
      reader.Fail("an instruction without opcode", whole.wire.data());
    }
    if (slices.size > 0) {
      SplitSlices(slices, &module_.ints, &module_.OwnAttributes(&instruction));
    }
    if (instruction.opcode == Opcode::kCustomCall) hash = HashBytes(hash, backend_config);
    instruction.fingerprint = hash;
  }

  void ReadField(const WireReader& reader, const WireField& field, Instruction* instruction,
                 uint64_t* hash) {
    switch (field.number) {
      case InstructionField::kName:
        instruction->name = reader.Bytes(field);
        break;
      case InstructionField::kOpcode:
        instruction->opcode_text = reader.Bytes(field);
        instruction->opcode = OpcodeFromText(instruction->opcode_text);
        break;
      case InstructionField::kShape:
        *hash = MixHash(*hash, shapes_.Read(reader.Message(field), &instruction->shape));
        break;
      case InstructionField::kMetadata:
        sources_.ReadMetadata(reader.Message(field), instruction);
        break;
      case InstructionField::kLiteral:
        *hash = HashLiteral(*hash, reader.Message(field));
        break;
      case InstructionField::kId:
        instruction->id = reader.Integer(field);
        break;
      case InstructionField::kOperands:
        AppendRun(reader, field, &module_.ints, &instruction->operands);
        break;
      case InstructionField::kCalled:
        AppendRun(reader, field, &module_.ints, &instruction->called);
        break;
    }
  }

  HloModule& module_;
  ShapeReader shapes_;
  SourceReader sources_;
};

// One walk over the lengths of the instructions saves growing the list of them.
size_t CountInstructions(WireReader module) {
  size_t count = 0;
  for (WireField field; module.Next(&field);) {
    if (field.number != ModuleField::kComputations) continue;
    WireReader computation = module.Message(field);
    for (WireField part; computation.Next(&part);) {
      count += part.number == ComputationField::kInstructions;
    }
  }
  return count;
}

// HloProto knows fields 1 and 3 only, and its field 1 is the module; a module's field 1 is its
// name.
bool HasModuleNumbers(WireReader reader) {
  for (WireField field; reader.Next(&field);) {
    if (field.number == ModuleField::kEntryName || field.number == ModuleField::kEntryId) {
      return true;
    }
  }
  return false;
}

bool LooksLikeModule(std::string_view bytes) {
  try {
    return HasModuleNumbers(WireReader(bytes));
  } catch (const HloError&) {
    return false;  // a name, or anything else
  }
}

}  // namespace

std::string_view ModuleBytes(std::string_view file) {
  if (LooksLikeModule(file)) return file;
  WireReader reader(file);
  for (WireField field; reader.Next(&field);) {
    if (field.number == HloProtoField::kModule && LooksLikeModule(field.bytes)) return field.bytes;
  }
  return file;
}

HloModule ReadHloModule(std::string bytes) {
  if (bytes.size() >= kMaxFileBytes) {
    throw HloError("HLO proto: 2 GiB or more; protobuf allows less");
  }
  HloModule module;
  module.bytes = std::make_shared<const std::string>(std::move(bytes));
  const std::string_view wire = ModuleBytes(*module.bytes);
  const WireReader reader(wire, module.bytes->data());
  const size_t instructions = CountInstructions(reader);
  module.instructions.reserve(instructions);
  module.ints.reserve(kUsualIntegers * instructions);
  module.attribute_pool.reserve(1 + instructions);
  ModuleReader(&module).ReadModule(reader);
  return module;
}

}  // namespace cfp
