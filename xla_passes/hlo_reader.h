// HloModuleProto bytes -> HloModule, in one pass and without protobuf.
//
//   HloModule module = ReadHloModule(bytes);
//   module.instructions[7].opcode == Opcode::kDot
//
// An HloProto, which wraps the module in its field 1, is read too. Bytes that are no HLO, cut short
// or changed give an HloError. What refers to what (operands, called computations) is not looked at
// here: BuildGraph does.
#pragma once

#include <string>
#include <string_view>

#include "hlo_module.h"

namespace cfp {

HloModule ReadHloModule(std::string bytes);

// The HloModuleProto in a file that holds one, or an HloProto around one.
std::string_view ModuleBytes(std::string_view file);

}  // namespace cfp
