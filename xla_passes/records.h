// The analysis as plain records: what crosses the border to Python, and what cfp_opt prints.
//
// Nothing here is a handle into the core: text, numbers and ids, in canonical order, with every
// reason in words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis.h"

namespace cfp {

struct OpRecord {
  std::string opcode;
  std::string shape;          // "f32[8,32,64]"
  std::vector<int> operands;  // ids, by position
  std::string instruction;    // its name in the module
  std::string op_name;        // its provenance, "jit(step)/…/dot_general"
  std::string source_file;
  int64_t source_line = 0;
  int region = 0;
  std::string owner;  // "block", "optimizer", "nobody"
  int owner_index = -1;
  std::string label;    // clause of the spec, "B10.3"
  std::string because;  // the clause in words
};

struct ContractionRecord {
  int op = -1;
  int block = -1;
  std::string phase;     // "forward", "backward", "recomputed"
  int forward = -1;      // index of the contraction it is a gradient or recomputation of
  int gradient_of = -1;  // operand of `forward`
  std::string label;
  std::string because;
  double flops = 0;
  bool unmatched = false;
};

struct CollectiveRecord {
  std::string kind;  // "all-reduce", "all-gather", "gather-partials", "halo"
  int value = -1;
  int reader = -1;
  int64_t size_bytes = 0;
};

struct PlacementRecord {
  int value = -1;
  int reader = -1;
  int dim = -1;
  int64_t outer = 1;
};

// A dimension of an argument of the step.
struct SourceRecord {
  int parameter = -1;
  int dim = -1;
};

struct StrategyRecord {
  std::string origin;
  std::vector<std::string> cuts;      // "%12 m0", the factors of roots that are cut together
  std::vector<SourceRecord> sources;  // the dimensions of arguments that these factors come from
  std::string variant;                // "keeps operand 0 at %40", empty where nothing forked
  int64_t granule = 1;
  double split_flops_share = 0;  // of the block's forward FLOPs
  std::vector<CollectiveRecord> collectives;
  std::vector<PlacementRecord> inputs;
  std::vector<PlacementRecord> members;
};

struct BlockRecord {
  std::vector<int> contractions;
  std::vector<int> ops;
  int alike = -1;  // the first block with the same structure; itself if it is the first
  uint64_t signature = 0;
  double flops = 0;
  double flops_share = 0;                  // of its segment, all phases
  std::vector<StrategyRecord> strategies;  // empty where `alike` is an earlier block
  std::vector<std::string> dropped;
};

struct SegmentRecord {
  int blocks = 0;
  std::vector<int> starts;
  int64_t times = 1;
};

struct RegionRecord {
  int parent = -1;
  std::string kind;
  int64_t trip_count = 1;
  bool trip_count_known = true;
  int64_t times = 1;
};

struct Records {
  std::string module;
  std::vector<OpRecord> ops;
  std::vector<int> parameters;  // by number, the op; -1 where the step ignores it
  std::vector<int> results;     // the ops that the step returns
  std::vector<RegionRecord> regions;
  std::vector<ContractionRecord> contractions;
  std::vector<BlockRecord> blocks;
  std::vector<SegmentRecord> segments;
  std::vector<std::string> warnings;
  Timing timing;
};

Records MakeRecords(const Analysis& analysis);

// "f32[8,32]"; a tuple as "(f32[8], s32[])".
std::string ShapeText(const HloModule& module, const Shape& shape);

}  // namespace cfp
