// How many operands an op must have: checked once when the graph is built, so that rules and passes
// may take `operands(op)[1]` of a dot without looking.
#pragma once

#include <cstdint>

#include "opcode.h"

namespace cfp {

struct OperandCount {
  uint32_t least = 0;
  uint32_t most = 0;
};

// Of an op as the graph keeps it: tuples among the operands are spread out.
OperandCount OperandCountOf(Opcode opcode);

}  // namespace cfp
