#include "forward_work.h"

#include <unordered_map>

#include "block_view.h"
#include "hlo_error.h"

namespace cfp {
namespace {

BlockView ViewOf(const Analysis& a, int block) {
  return {a.graph, a.numbers, a.contractions, a.grouping, a.blocks, block};
}

// The ops of a block that correspond to those of the first block alike; empty where the two list
// independent ops in another order.
std::unordered_map<OpId, OpId> Counterparts(const Analysis& analysis, const std::vector<OpId>& from,
                                            const std::vector<OpId>& to) {
  std::unordered_map<OpId, OpId> counterparts;
  if (from.size() != to.size()) return {};
  for (size_t i = 0; i < from.size(); ++i) {
    if (analysis.graph.ops[from[i]].fingerprint != analysis.graph.ops[to[i]].fingerprint) return {};
    counterparts.emplace(from[i], to[i]);
  }
  return counterparts;
}

class Division {
 public:
  Division(const Analysis& analysis, ForwardWorks* works) : analysis_(analysis), works_(*works) {}

  void Divide(int block, int choice) {
    DecideContractions(block);
    if (choice == kWhole) return;
    const int first = analysis_.alike[block];
    const std::vector<Strategy>& known = analysis_.strategies[first].list;
    if (choice < 0 || choice >= static_cast<int>(known.size()))
      throw HloError("block " + std::to_string(block) + " has no strategy " +
                     std::to_string(choice));
    if (first == block) return Take(known[choice]);
    const auto counterparts = Counterparts(analysis_, ViewOf(analysis_, first).ops(),
                                           ViewOf(analysis_, block).ops());
    if (counterparts.empty()) return Take(FoundAgain(block, choice, known[choice]));
    for (const OpWork& one : known[choice].works) Take({counterparts.at(one.op), one.work});
  }

 private:
  // What no class reaches is whole if it contracts; else it may follow what it reads.
  void DecideContractions(int block) {
    const ParallelBlock& b = analysis_.blocks.list[block];
    for (int i = 0; i < b.forward_count; ++i)
      works_.decided[analysis_.contractions.list[b.contractions[i]].op] = true;
  }

  void Take(const Strategy& strategy) {
    for (const OpWork& one : strategy.works) Take(one);
  }

  void Take(const OpWork& one) {
    works_.decided[one.op] = true;
    works_.of[one.op] = one.work;
  }

  Strategy FoundAgain(int block, int choice, const Strategy& known) const {
    BlockStrategies own = FindStrategies(analysis_.graph, analysis_.numbers, analysis_.contractions,
                                         analysis_.grouping, analysis_.blocks, block);
    if (choice >= static_cast<int>(own.list.size()) ||
        own.list[choice].granule != known.granule || own.list[choice].origin != known.origin)
      throw HloError("the strategies of block " + std::to_string(block) +
                     " are not those of the first block alike");
    return std::move(own.list[choice]);
  }

  const Analysis& analysis_;
  ForwardWorks& works_;
};

void CopyToRecomputed(const Analysis& analysis, ForwardWorks* works) {
  const Graph& graph = analysis.graph;
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    const OpId first = analysis.numbers.of[op];
    if (first == op || !works->decided[first]) continue;
    if (graph.ops[first].fingerprint != graph.ops[op].fingerprint) continue;
    works->decided[op] = true;
    works->of[op] = works->of[first];
  }
}

}  // namespace

ForwardWorks DivideForward(const Analysis& analysis, const std::vector<int>& choice) {
  if (choice.size() != analysis.blocks.list.size())
    throw HloError("a layout needs one strategy for each of " +
                   std::to_string(analysis.blocks.list.size()) + " blocks, not " +
                   std::to_string(choice.size()));
  ForwardWorks works;
  works.of.resize(analysis.graph.ops.size());
  works.decided.resize(analysis.graph.ops.size());
  Division division(analysis, &works);
  for (size_t b = 0; b < choice.size(); ++b) {
    if (analysis.blocks.list[b].forward_count > 0) division.Divide(static_cast<int>(b), choice[b]);
  }
  CopyToRecomputed(analysis, &works);
  return works;
}

}  // namespace cfp
