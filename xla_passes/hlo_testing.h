// For tests of the reader, the builder and the writer: modules made by hand and serialised.
//
//   HloText main(1);                                            // the computation with id 1
//   const int64_t a = main.Parameter(0, F32({8, 4}));
//   const int64_t w = main.Parameter(1, F32({4, 16}));
//   main.Add("dot", F32({8, 16}), {a, w}, DotNumbers({1}, {0}));  // the last one added is the root
//   HloModule module = ReadHloModule(Serialize({main}, 1));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hlo_fields.h"
#include "hlo_module.h"
#include "wire.h"

namespace cfp::testing {

using Integers = std::vector<int64_t>;

inline std::string BytesField(uint32_t number, std::string_view bytes) {
  std::string out;
  AppendBytesField(&out, number, bytes);
  return out;
}

inline std::string IntegerField(uint32_t number, int64_t value) {
  std::string out;
  AppendVarintField(&out, number, static_cast<uint64_t>(value));
  return out;
}

inline std::string PackedField(uint32_t number, const Integers& values) {
  std::string packed;
  for (const int64_t value : values) AppendVarint(&packed, static_cast<uint64_t>(value));
  return values.empty() ? "" : BytesField(number, packed);
}

// A ShapeProto.
inline std::string ArrayShape(DType dtype, const Integers& dims) {
  return IntegerField(ShapeField::kElementType, static_cast<int64_t>(dtype)) +
         PackedField(ShapeField::kDimensions, dims);
}
inline std::string F32(const Integers& dims) { return ArrayShape(DType::kF32, dims); }
inline std::string S32(const Integers& dims) { return ArrayShape(DType::kS32, dims); }
inline std::string Pred() { return ArrayShape(DType::kPred, {}); }
inline std::string TupleOf(const std::vector<std::string>& shapes) {
  std::string out = IntegerField(ShapeField::kElementType, static_cast<int64_t>(DType::kTuple));
  for (const std::string& shape : shapes) out += BytesField(ShapeField::kTupleShapes, shape);
  return out;
}

// Attributes, as fields of the instruction.
inline std::string DotNumbers(const Integers& lhs_contracting, const Integers& rhs_contracting) {
  return BytesField(InstructionField::kDot,
                    PackedField(DotField::kLhsContracting, lhs_contracting) +
                        PackedField(DotField::kRhsContracting, rhs_contracting));
}
inline std::string Direction(std::string_view text) {
  return BytesField(InstructionField::kComparison, text);
}
inline std::string Index(int64_t index) {
  return IntegerField(InstructionField::kTupleIndex, index);
}
inline std::string S32Literal(int64_t value) {
  const std::string literal =
      BytesField(LiteralField::kShape, S32({})) + PackedField(LiteralField::kS32s, {value});
  return BytesField(InstructionField::kLiteral, literal);
}
inline std::string Calls(const Integers& computations) {
  return PackedField(InstructionField::kCalled, computations);
}

// One computation. Instructions get the ids computation << 32 | 1, 2, 3 … unless `next_id` says
// otherwise.
class HloText {
 public:
  explicit HloText(int64_t id) : id_(id), next_id(id << 32 | 1) {}

  int64_t Add(std::string_view opcode, const std::string& shape, const Integers& operands = {},
              const std::string& attributes = "") {
    instructions.push_back({next_id++, operands,
                            BytesField(InstructionField::kOpcode, opcode) +
                                BytesField(InstructionField::kShape, shape) + attributes});
    root_id = instructions.back().id;
    return root_id;
  }
  int64_t Parameter(int64_t number, const std::string& shape) {
    return Add("parameter", shape, {}, IntegerField(InstructionField::kParameterNumber, number));
  }
  int64_t Constant(int64_t value) { return Add("constant", S32({}), {}, S32Literal(value)); }
  int64_t Element(int64_t tuple, int64_t index, const std::string& shape) {
    return Add("get-tuple-element", shape, {tuple}, Index(index));
  }

  std::string Serialized() const {
    std::string out = BytesField(ComputationField::kName, "computation" + std::to_string(id_));
    for (const Line& line : instructions) {
      const std::string name = "i" + std::to_string(line.id & 0xffffffff) + name_suffix;
      out += BytesField(ComputationField::kInstructions,
                        BytesField(InstructionField::kName, name) + line.fields +
                            IntegerField(InstructionField::kId, line.id) +
                            PackedField(InstructionField::kOperands, line.operands));
    }
    return out + IntegerField(ComputationField::kId, id_) +
           IntegerField(ComputationField::kRootId, root_id);
  }

  struct Line {
    int64_t id;
    Integers operands;
    std::string fields;
  };

 private:
  int64_t id_;

 public:
  std::vector<Line> instructions;
  std::string name_suffix;
  int64_t next_id;
  int64_t root_id = 0;
};

// A HloModuleProto.
inline std::string Serialize(const std::vector<HloText>& computations, int64_t entry_id) {
  std::string out =
      BytesField(ModuleField::kName, "test") + BytesField(ModuleField::kEntryName, "main");
  for (const HloText& computation : computations) {
    out += BytesField(ModuleField::kComputations, computation.Serialized());
  }
  return out + IntegerField(ModuleField::kEntryId, entry_id);
}

}  // namespace cfp::testing
