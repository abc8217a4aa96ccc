// Feeds changed HLO protos to the analysis and lays out what comes of them: whatever the bytes, the
// answer is a layout of a graph that verifies or an HloError, in time that is proportional to the
// input.
//
//   hlo_fuzz 100000 7 small.hlo.pb other.hlo.pb     # 100,000 mutations, seed 7
//
// Built with -fsanitize=address,undefined. Exits non-zero on any other exception and on a graph
// that does not verify; the mutation that did it is left in hlo_fuzz_failure.pb.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "axis_layout.h"
#include "hlo_error.h"
#include "hlo_mutator.h"

namespace {

constexpr double kMaxSeconds = 20;  // of CPU per input, sanitizers included

struct Counts {
  size_t graphs = 0, errors = 0;
};

// Every block by its first strategy, on two axes.
void LayOut(const cfp::Analysis& analysis) {
  cfp::Axis axis{2, {}, {}};
  for (const int first : analysis.alike)
    axis.choice.push_back(analysis.strategies[first].list.empty() ? cfp::kWhole : 0);
  cfp::LayOut(analysis, {axis, axis}, {});
}

void Try(const std::string& bytes, Counts* counts) {
  const std::clock_t start = std::clock();
  try {
    const cfp::Analysis analysis = cfp::Analyze(bytes);
    try {
      cfp::Verify(analysis.graph);
    } catch (const cfp::HloError& error) {
      throw std::logic_error(std::string("BuildGraph made a graph that does not verify: ") +
                             error.what());
    }
    LayOut(analysis);
    ++counts->graphs;
  } catch (const cfp::HloError&) {
    ++counts->errors;
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (seconds > kMaxSeconds) {
    throw std::logic_error("took " + std::to_string(seconds) + " s of CPU");
  }
}

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::invalid_argument(std::string("cannot read ") + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int Fuzz(size_t mutations, uint64_t seed, const std::vector<std::string>& originals) {
  cfp::Mutator mutator(seed);
  Counts counts;
  for (size_t i = 0; i < mutations; ++i) {
    const std::string bytes = mutator.Mutate(originals[i % originals.size()]);
    try {
      Try(bytes, &counts);
    } catch (const std::exception& error) {
      std::ofstream("hlo_fuzz_failure.pb", std::ios::binary) << bytes;
      std::fprintf(stderr, "mutation %zu: %s\n", i, error.what());
      return 1;
    }
  }
  std::printf("%zu mutations: %zu graphs, %zu errors\n", mutations, counts.graphs, counts.errors);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: hlo_fuzz MUTATIONS SEED FILE...\n");
    return 2;
  }
  const uint64_t seed = std::strtoull(argv[2], nullptr, 10);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::vector<std::string> originals;
  for (int i = 3; i < argc; ++i) originals.push_back(ReadFile(argv[i]));
  return Fuzz(std::strtoull(argv[1], nullptr, 10), seed, originals);
}
