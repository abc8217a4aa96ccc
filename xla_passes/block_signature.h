// What makes two ParallelBlocks alike, as one number per block and one per run of blocks.
//
// Every op hashes what it computes and the hashes of what it reads (a Merkle tree), down to the
// border of the block, where only shapes are left; a block sums the hashes of its ops. Sums do not
// depend on order, so neither do signatures.
#pragma once

#include <cstdint>
#include <vector>

#include "parallel_blocks.h"

namespace cfp {

class BlockSignatures {
 public:
  BlockSignatures(const Graph& graph, const ValueNumbers& numbers, const Contractions& contractions,
                  const Blocks& blocks);

  // [S1] Of one block, its references outward numbered by nothing but who reads them.
  uint64_t OfBlock(int block) const { return block_[block]; }

  // [S2] Of the run [begin, end): its blocks, and which of its values flow between which of them.
  uint64_t OfRun(int begin, int end) const;

 private:
  // One value that a block reads from outside itself, with the sum of its readers.
  struct Reference {
    OpId value;
    uint64_t readers;
  };

  const Blocks& blocks_;
  std::vector<uint64_t> op_;
  std::vector<uint64_t> block_;
  std::vector<std::vector<Reference>> references_;
};

}  // namespace cfp
