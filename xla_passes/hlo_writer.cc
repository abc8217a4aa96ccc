// A copy of the bytes in which the messages around an edit get new lengths; see hlo_writer.h.
#include "hlo_writer.h"

#include <algorithm>
#include <string_view>

#include "hlo_error.h"
#include "hlo_fields.h"
#include "hlo_reader.h"
#include "wire.h"

namespace cfp {
namespace {

void CheckEdits(const HloModule& module, const std::vector<ShardingEdit>& edits) {
  for (size_t i = 0; i < edits.size(); ++i) {
    const std::string number = std::to_string(edits[i].instruction);
    if (edits[i].instruction >= module.instructions.size()) {
      throw HloError("shardings: instruction " + number + " of " +
                     std::to_string(module.instructions.size()));
    }
    if (i > 0 && edits[i].instruction == edits[i - 1].instruction) {
      throw HloError("shardings: two for instruction " + number);
    }
  }
}

// Walks the same messages in the same order as the reader, hence counts instructions as it does.
class Splicer {
 public:
  Splicer(std::string_view file, const std::vector<ShardingEdit>& edits)
      : file_(file), module_(ModuleBytes(file)), edit_(edits.begin()), end_(edits.end()) {}

  std::string Splice() {
    std::string out;
    out.reserve(file_.size() + file_.size() / 4);
    if (module_.data() == file_.data()) {
      SpliceModule(&out);
      return out;
    }
    WireReader wrapper(file_);
    for (WireField field; wrapper.Next(&field);) {
      if (field.bytes.data() != module_.data()) {
        out.append(field.wire);
        continue;
      }
      std::string module;
      SpliceModule(&module);
      AppendBytesField(&out, field.number, module);
    }
    return out;
  }

 private:
  void SpliceModule(std::string* out) {
    WireReader reader(module_);
    std::string computation;
    for (WireField field; reader.Next(&field);) {
      if (field.number != ModuleField::kComputations) {
        out->append(field.wire);
        continue;
      }
      computation.clear();
      const bool edited = SpliceComputation(field.bytes, &computation);
      if (edited) AppendBytesField(out, field.number, computation);
      if (!edited) out->append(field.wire);
    }
  }

  bool SpliceComputation(std::string_view bytes, std::string* out) {
    WireReader reader(bytes);
    bool edited = false;
    for (WireField field; reader.Next(&field);) {
      const bool is_instruction = field.number == ComputationField::kInstructions;
      if (is_instruction && edit_ != end_ && edit_->instruction == instruction_) {
        AppendBytesField(out, field.number, WithSharding(field.bytes, edit_->sharding));
        ++edit_;
        edited = true;
      } else {
        out->append(field.wire);
      }
      instruction_ += is_instruction;
    }
    return edited;
  }

  // The sharding goes where a serialiser would put it: behind the fields with lower numbers.
  static std::string WithSharding(std::string_view instruction, std::string_view sharding) {
    std::string out;
    out.reserve(instruction.size() + sharding.size() + 8);
    bool written = false;
    WireReader reader(instruction);
    for (WireField field; reader.Next(&field);) {
      if (!written && field.number >= InstructionField::kSharding) {
        AppendBytesField(&out, InstructionField::kSharding, sharding);
        written = true;
      }
      if (field.number != InstructionField::kSharding) out.append(field.wire);
    }
    if (!written) AppendBytesField(&out, InstructionField::kSharding, sharding);
    return out;
  }

  std::string_view file_, module_;
  std::vector<ShardingEdit>::const_iterator edit_, end_;
  uint32_t instruction_ = 0;
};

}  // namespace

std::string WriteShardings(const HloModule& module, std::vector<ShardingEdit> edits) {
  const auto earlier = [](const ShardingEdit& left, const ShardingEdit& right) {
    return left.instruction < right.instruction;
  };
  std::stable_sort(edits.begin(), edits.end(), earlier);
  CheckEdits(module, edits);
  return Splicer(*module.bytes, edits).Splice();
}

}  // namespace cfp
