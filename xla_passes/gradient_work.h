// What a gradient works on when its forward contraction works on a factor.
//
//   y[b,m,n] = x[b,m,k] · w[k,n]     forward on n: columns of w
//   dx = dy[b,m,n] · w[k,n]          n is summed over: partial results
//   dw = x[b,m,k] · dy[b,m,n]        n is free: columns of dw
// The operand that both contractions read tells where its factors went, seen through transposes.
// The factors that stand on the other operand alone are the cotangent's own, in their order.
#pragma once

#include "analysis.h"

namespace cfp {

// The work of `gradient`, an index into `analysis.contractions.list`, when its forward contraction
// has `forward`; factor -1 where there is no such factor. [L3]
Work GradientWork(const Analysis& analysis, int gradient, const Work& forward);

}  // namespace cfp
