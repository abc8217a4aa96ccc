// Rules of the ops that compute each element from elements at the same place, make elements from
// nothing, or move whole dimensions about.
//
//   transpose f32[8,4] -> f32[4,8], dimensions={1,0}     4 pass  operand dim 1, result dim 0
//                                                        8 pass  operand dim 0, result dim 1
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteElementwise(RuleWriter& rule);
void WriteBroadcast(RuleWriter& rule);
void WriteSource(RuleWriter& rule);
void WriteCarry(RuleWriter& rule);
void WriteTranspose(RuleWriter& rule);
void WriteReverse(RuleWriter& rule);
void WriteReshape(RuleWriter& rule);
void WriteBitcast(RuleWriter& rule);
void WriteBitcastConvert(RuleWriter& rule);

// The end of a loop or a conditional, and a tuple: each operand is a result of its own, so no
// factor joins two arrays.
void WriteRegionEnd(RuleWriter& rule);
void WriteGetTupleElement(RuleWriter& rule);

}  // namespace cfp
