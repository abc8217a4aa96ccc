// The C++ core as one list: bytes in, ParallelBlocks, strategies and segments out.
#pragma once

#include <string>
#include <vector>

#include "op_rules.h"
#include "segments.h"
#include "strategies.h"

namespace cfp {

// CPU seconds of each part, in the order in which they run.
struct Timing {
  double read_s = 0;
  double graph_s = 0;
  double contractions_s = 0;
  double blocks_s = 0;
  double segments_s = 0;
  double strategies_s = 0;
  double total_s() const {
    return read_s + graph_s + contractions_s + blocks_s + segments_s + strategies_s;
  }
};

struct Analysis {
  Graph graph;
  OpRules rules;
  ValueNumbers numbers;
  Contractions contractions;
  Grouping grouping;
  Blocks blocks;
  Segments segments;
  std::vector<int> alike;  // per block: the first block alike
  std::vector<BlockStrategies>
      strategies;                     // per block; filled for templates, empty for their repeats
  std::vector<std::string> warnings;  // unknown ops, unmatched contractions, unknown trip counts
  Timing timing;
};

// Throws HloError where the bytes are not a well-formed module.
Analysis Analyze(std::string bytes);

}  // namespace cfp
