#include "forward_work.h"

#include "block_counterparts.h"
#include "hlo_error.h"

namespace cfp {
namespace {

BlockView ViewOf(const Analysis& a, int block) {
  return {a.graph, a.numbers, a.contractions, a.grouping, a.blocks, block};
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
    if (first == block) {
      for (const OpWork& one : known[choice].works) Take(one);
    } else {
      TakeAlike(known[choice], first, block);
    }
  }

 private:
  // What no class reaches is whole if it contracts; else it may follow what it reads.
  void DecideContractions(int block) {
    const ParallelBlock& b = analysis_.blocks.list[block];
    for (int i = 0; i < b.forward_count; ++i)
      works_.decided[analysis_.contractions.list[b.contractions[i]].op] = true;
  }

  // A derivative that only one of the two computes ahead has no counterpart.
  void TakeAlike(const Strategy& known, int first, int block) {
    const auto counterparts = Counterparts(ViewOf(analysis_, first), ViewOf(analysis_, block));
    for (const OpWork& one : known.works) {
      const auto own = counterparts.find(one.op);
      if (own != counterparts.end()) {
        Take({own->second, one.work});
      } else if (analysis_.contractions.at[one.op] >= 0) {
        throw HloError("block " + std::to_string(block) + " has no contraction that does what %" +
                       std::to_string(one.op) + " does in block " + std::to_string(first) +
                       ", which it is alike");
      }
    }
  }

  void Take(const OpWork& one) {
    works_.decided[one.op] = true;
    works_.of[one.op] = one.work;
  }

  const Analysis& analysis_;
  ForwardWorks& works_;
};

// What is computed again does as the first computation. [L2]
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
