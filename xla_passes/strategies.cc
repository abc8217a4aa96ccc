#include "strategies.h"

#include <algorithm>
#include <numeric>

#include "propagation.h"
#include "split_classes.h"

namespace cfp {
namespace {

constexpr double kMostOfTheFlops = 0.5;

// [B5] A weight split that an absorbed contraction sums over buys an all-reduce of the scores:
// given up where another weight split passes.
std::string WhyDropped(const BlockView& view, const Strategy& strategy, double block_flops,
                       bool another_passes) {
  if (strategy.granule <= 1) return "cannot be cut into equal pieces";
  if (strategy.origin == Origin::kLate && strategy.split_flops < kMostOfTheFlops * block_flops) {
    return "first met inside the block, divides less than half of its FLOPs";
  }
  if (strategy.origin != Origin::kWeight || !another_passes) return "";
  for (const Collective& c : strategy.collectives) {
    const int contraction = view.contraction(c.value);
    if (c.kind == CollectiveKind::kAllReduce && contraction >= 0 && !view.IsRoot(contraction)) {
      return "summed over by %" + std::to_string(c.value) + ", while another weight split passes";
    }
  }
  return "";
}

bool PassesWhole(const BlockView& view, const Strategy& strategy) {
  return strategy.origin == Origin::kWeight && WhyDropped(view, strategy, 0, true).empty();
}

std::vector<Strategy> Candidates(const BlockView& view) {
  std::vector<Strategy> candidates;
  for (const std::vector<Seed>& seeds : FindClasses(view)) {
    for (int variant = 0; variant < 2; ++variant) {
      Strategy strategy = PropagateClass(view, seeds, variant);
      strategy.origin = OriginOfClass(seeds);
      const bool forked = strategy.variant >= 0;
      candidates.push_back(std::move(strategy));
      if (!forked) break;
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Strategy& a, const Strategy& b) { return a.origin < b.origin; });
  return candidates;
}

}  // namespace

std::string_view OriginText(Origin origin) {
  switch (origin) {
    case Origin::kBatch:
      return "activation";
    case Origin::kWeight:
      return "weight";
    case Origin::kContracted:
      return "contracted";
    case Origin::kLate:
      return "late";
  }
  return "";
}

std::string_view CollectiveText(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kAllReduce:
      return "all-reduce";
    case CollectiveKind::kAllGather:
      return "all-gather";
    case CollectiveKind::kGatherPartials:
      return "gather-partials";
    case CollectiveKind::kHalo:
      return "halo";
  }
  return "";
}

BlockStrategies FindStrategies(const Graph& graph, const ValueNumbers& numbers,
                               const Contractions& contractions, const Grouping& grouping,
                               const Blocks& blocks, int block) {
  const BlockView view(graph, numbers, contractions, grouping, blocks, block);
  double flops = 0;
  for (int c : view.forward()) flops += view.at(c).flops;
  std::vector<Strategy> candidates = Candidates(view);
  const bool another_passes = std::any_of(candidates.begin(), candidates.end(),
                                          [&](const Strategy& s) { return PassesWhole(view, s); });
  BlockStrategies found;
  for (Strategy& strategy : candidates) {
    const std::string why = WhyDropped(view, strategy, flops, another_passes);
    if (why.empty()) {
      found.list.push_back(std::move(strategy));
    } else {
      const Seed& seed = strategy.seeds[0];
      found.dropped.push_back(std::string(OriginText(strategy.origin)) + " split of %" +
                              std::to_string(view.at(seed.contraction).op) + ": " + why);
    }
  }
  return found;
}

}  // namespace cfp
