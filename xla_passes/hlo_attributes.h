// The part of HloInstructionProto that says what an op does beyond its operands: dimension lists,
// windows, slices, dot, gather and convolution numbers. hlo_reader.h reads the rest.
#pragma once

#include <vector>

#include "hlo_module.h"
#include "wire.h"

namespace cfp {

// Extends `run`, which lies at the end of `ints`, by the integers of a repeated field.
void AppendRun(const WireReader& reader, const WireField& field, std::vector<int64_t>* ints,
               Ints* run);

// Reads `field` into the attributes of `instruction` where it is one. Slices come dimension by
// dimension (start, limit, stride, start, …) and are gathered in `slices` until SplitSlices.
void ReadAttribute(const WireReader& reader, const WireField& field, HloModule* module,
                   Instruction* instruction, Ints* slices);

// Turns (start, limit, stride) per dimension into the three lists of Attributes.
void SplitSlices(Ints slices, std::vector<int64_t>* ints, Attributes* attributes);

}  // namespace cfp
