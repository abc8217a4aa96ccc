// Runs one pass on one file and prints what it found: `cfp_opt --pass=parallel_blocks step.hlo.pb`.
//
// For goldens and for people with a module and no Python. Passes: graph, contractions,
// parallel_blocks, strategies, segments.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "hlo_error.h"
#include "records.h"
#include "rule_text.h"

namespace {

constexpr char kUsage[] =
    "usage: cfp_opt [--pass=PASS] FILE.hlo.pb\n"
    "  PASS  graph            every op: id, shape, operands, region\n"
    "        partition_rules  every op's factors: what passes, what is summed, what must be whole\n"
    "        contractions     which are forward, backward, recomputed, and of which\n"
    "        parallel_blocks  the blocks, with why each op is where it is (default)\n"
    "        strategies       per distinct block: how it can be split, and what that communicates\n"
    "        segments         repeated runs of blocks\n";

void PrintContractions(const cfp::Records& records) {
  for (const cfp::ContractionRecord& c : records.contractions) {
    std::printf("%%%d %s %s", c.op, records.ops[c.op].shape.c_str(), c.phase.c_str());
    if (c.phase != "forward") std::printf(" of %%%d", records.contractions[c.forward].op);
    if (c.gradient_of >= 0) std::printf(" operand %d", c.gradient_of);
    std::printf("  block %d  [%s] %s  %.3g flops\n", c.block, c.label.c_str(), c.because.c_str(),
                c.flops);
  }
}

void PrintBlocks(const cfp::Records& records) {
  for (size_t b = 0; b < records.blocks.size(); ++b) {
    const cfp::BlockRecord& block = records.blocks[b];
    std::printf("block %zu: %zu contractions, %zu ops, alike %d\n", b, block.contractions.size(),
                block.ops.size(), block.alike);
    for (int op : block.ops) {
      const cfp::OpRecord& r = records.ops[op];
      std::printf("  %%%d %s %s  [%s] %s  %s\n", op, r.opcode.c_str(), r.shape.c_str(),
                  r.label.c_str(), r.because.c_str(), r.op_name.c_str());
    }
  }
}

void PrintStrategies(const cfp::Records& records) {
  for (size_t b = 0; b < records.blocks.size(); ++b) {
    const cfp::BlockRecord& block = records.blocks[b];
    if (block.alike != static_cast<int>(b)) continue;
    std::printf("block %zu\n", b);
    for (const cfp::StrategyRecord& s : block.strategies) {
      std::printf("  %s:", s.origin.c_str());
      for (const std::string& cut : s.cuts) std::printf(" %s;", cut.c_str());
      std::printf(" up to %lld pieces, %.0f%% of flops %s\n", static_cast<long long>(s.granule),
                  100 * s.split_flops_share, s.variant.c_str());
      for (const cfp::CollectiveRecord& c : s.collectives) {
        std::printf("    %s %%%d for %%%d, %lld bytes\n", c.kind.c_str(), c.value, c.reader,
                    static_cast<long long>(c.size_bytes));
      }
    }
    for (const std::string& why : block.dropped) std::printf("  dropped: %s\n", why.c_str());
  }
}

void PrintSegments(const cfp::Records& records) {
  for (const cfp::SegmentRecord& s : records.segments) {
    std::printf("segment of %d blocks, %lld times each, at", s.blocks,
                static_cast<long long>(s.times));
    for (int start : s.starts) std::printf(" %d", start);
    std::printf("\n");
  }
}

int Run(const std::string& pass, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "cfp_opt: cannot read " << path << "\n";
    return 1;
  }
  std::stringstream bytes;
  bytes << file.rdbuf();
  const cfp::Analysis analysis = cfp::Analyze(bytes.str());
  const cfp::Records records = cfp::MakeRecords(analysis);
  if (pass == "graph") std::cout << cfp::Dump(analysis.graph);
  if (pass == "partition_rules") std::cout << cfp::DumpPartitionRules(analysis.graph);
  if (pass == "contractions") PrintContractions(records);
  if (pass == "parallel_blocks") PrintBlocks(records);
  if (pass == "strategies") PrintStrategies(records);
  if (pass == "segments") PrintSegments(records);
  for (const std::string& warning : records.warnings) std::cerr << "warning: " << warning << "\n";
  return 0;
}

bool IsPass(const std::string& name) {
  for (const char* pass :
       {"graph", "partition_rules", "contractions", "parallel_blocks", "strategies", "segments"}) {
    if (name == pass) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::string pass = "parallel_blocks", path;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--pass=", 7) == 0) {
      pass = argv[i] + 7;
    } else {
      path = argv[i];
    }
  }
  if (path.empty() || path[0] == '-' || !IsPass(pass)) {
    std::cerr << kUsage;
    return 2;
  }
  try {
    return Run(pass, path);
  } catch (const cfp::HloError& error) {
    std::cerr << "cfp_opt: " << path << ": " << error.what() << "\n";
    return 1;
  }
}
