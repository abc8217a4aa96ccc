#include "analysis.h"

#include <ctime>
#include <map>
#include <unordered_map>

#include "hlo_reader.h"

namespace cfp {
namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <typename F>
auto Timed(double* seconds, F run) {
  const double start = CpuSeconds();
  auto result = run();
  *seconds += CpuSeconds() - start;
  return result;
}

std::vector<int> FirstAlike(const std::vector<uint64_t>& signature) {
  std::unordered_map<uint64_t, int> first;
  std::vector<int> alike;
  for (uint64_t s : signature)
    alike.push_back(first.try_emplace(s, static_cast<int>(alike.size())).first->second);
  return alike;
}

std::vector<std::string> Warnings(const Graph& graph, const OpRules& rules,
                                  const Contractions& contractions) {
  std::map<std::string, int> barriers;
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    if (!rules.of(op).barrier) continue;
    const Instruction& instruction = graph.instruction(op);
    std::string what(instruction.opcode_text);
    const std::string_view target = graph.attributes(op).custom_call_target;
    if (!target.empty()) what += " " + std::string(target);
    ++barriers[what];
  }
  std::vector<std::string> warnings;
  for (const auto& [what, count] : barriers) {
    warnings.push_back("no partition rule for " + what + " (" + std::to_string(count) +
                       "x): kept whole on every device");
  }
  for (const Contraction& c : contractions.list) {
    if (!c.unmatched) continue;
    warnings.push_back("%" + std::to_string(c.op) +
                       " follows a gradient but is no gradient of a forward " +
                       "contraction: taken as a root of its own");
  }
  for (const Region& region : graph.regions) {
    if (!region.trip_count_known)
      warnings.push_back("a loop's trip count cannot be read off: counted once");
  }
  return warnings;
}

}  // namespace

Analysis Analyze(std::string bytes) {
  Timing timing;
  HloModule module = Timed(&timing.read_s, [&] { return ReadHloModule(std::move(bytes)); });
  Graph graph = Timed(&timing.graph_s, [&] { return BuildGraph(std::move(module)); });
  OpRules rules = Timed(&timing.graph_s, [&] { return OpRules(graph); });
  ValueNumbers numbers = Timed(&timing.contractions_s, [&] { return NumberValues(graph); });
  Contractions contractions =
      Timed(&timing.contractions_s, [&] { return FindContractions(graph, numbers); });
  Grouping grouping =
      Timed(&timing.blocks_s, [&] { return GroupContractions(graph, numbers, contractions); });
  Blocks blocks =
      Timed(&timing.blocks_s, [&] { return FindBlocks(graph, numbers, contractions, grouping); });
  Segments segments =
      Timed(&timing.segments_s, [&] { return FindSegments(graph, numbers, contractions, blocks); });
  std::vector<int> alike = FirstAlike(segments.signature);
  std::vector<BlockStrategies> strategies = Timed(&timing.strategies_s, [&] {
    std::vector<BlockStrategies> found(blocks.list.size());
    for (size_t b = 0; b < found.size(); ++b) {
      if (alike[b] != static_cast<int>(b)) continue;
      found[b] =
          FindStrategies(graph, numbers, contractions, grouping, blocks, static_cast<int>(b));
    }
    return found;
  });
  std::vector<std::string> warnings = Warnings(graph, rules, contractions);
  return {std::move(graph),
          std::move(rules),
          std::move(numbers),
          std::move(contractions),
          std::move(grouping),
          std::move(blocks),
          std::move(segments),
          std::move(alike),
          std::move(strategies),
          std::move(warnings),
          timing};
}

}  // namespace cfp
