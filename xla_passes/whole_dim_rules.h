// Rules of the ops that work on whole rows, matrices or features and repeat that over batch
// dimensions: sort, top-k, fft, matrix factorisations, batch norm.
//
//   sort f32[8,64] along dim 1      8 pass, 64 replicate, on the operand and on the result
#pragma once

#include "rule_writer.h"

namespace cfp {

void WriteSort(RuleWriter& rule);
void WriteLastDimWhole(RuleWriter& rule);
void WriteMatrixWhole(RuleWriter& rule);
void WriteFft(RuleWriter& rule);
void WriteBatchNorm(RuleWriter& rule);
void WriteBatchNormInference(RuleWriter& rule);

}  // namespace cfp
