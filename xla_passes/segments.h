// Repeated runs of ParallelBlocks: what has to be looked at once.
//
// Two blocks are alike when their forward ops, attributes, shapes, inner wiring and outer
// references are, and their contractions have the same gradients and recomputations; names, ids and
// the order of independent ops do not count. A segment is a run of blocks with all its repeats:
//
//   embedding | attn o w1 w2 | attn o w1 w2 | attn o w1 w2 | head
//       0     |  1  2  3  4  |  5  6  7  8  |  9 10 11 12  |  13
//   segments {0} {1..4, repeated at 5 and 9} {13}; "(5, 9) mapped to (1, 5)"
//
// A loop body is never cut together with what stands outside it; it counts `times` its trips.
#pragma once

#include <cstdint>
#include <vector>

#include "parallel_blocks.h"

namespace cfp {

struct Segment {
  int blocks = 0;           // length of one run
  std::vector<int> starts;  // first block of every repeat, ascending
  int64_t times = 1;        // how often each run executes in one step
};

struct Segments {
  std::vector<Segment> list;        // by first start
  std::vector<uint64_t> signature;  // per block: equal for blocks that are alike
};

// [S1] [S2] [S3]
Segments FindSegments(const Graph& graph, const ValueNumbers& numbers,
                      const Contractions& contractions, const Blocks& blocks);

}  // namespace cfp
