// One block alone, as a module of its own with the shardings of one strategy on it: what a compiler
// is asked to partition, to see which collectives the block really needs.
//
//   block {q, k, q·kᵀ, v, a·v}, heads in 2 pieces   ->   (x, Wq, Wk, Wv) -> (a·v)
//     x        {replicated}
//     Wq       {devices=[1,2]0,1}
//     q·kᵀ     {devices=[1,2,1,1]0,1}   …  each instruction says how it lies
//
// Members are the block's forward ops. What they read from other blocks, from loops and from
// outside become parameters; masks and constants come along, once per way in which readers want
// them cut. Results are the members that forward ops elsewhere read, or that nobody in the block
// does.
#pragma once

#include <string>

#include "analysis.h"

namespace cfp {

// An HloModuleProto. `block` is the first of its kind (Analysis::alike), `strategy` an index
// into its list, and `pieces` divides the strategy's granule; throws HloError where that does not
// hold. A value cut inside the equal parts of a fused projection has no sharding: none can say so.
std::string BlockModule(const Analysis& analysis, int block, int strategy, int pieces);

}  // namespace cfp
