#include "split_classes.h"

#include <algorithm>
#include <unordered_map>

#include "disjoint_sets.h"
#include "propagation.h"

namespace cfp {
namespace {

Origin OriginOf(const Rule& rule, int factor, int weight) {
  if (rule.factors[factor].kind == FactorKind::kReduced) return Origin::kContracted;
  const bool on_weight = weight >= 0 && rule.operand_site(factor, weight).dim >= 0;
  const bool on_other = weight >= 0 && rule.operand_site(factor, 1 - weight).dim >= 0;
  return on_weight && !on_other ? Origin::kWeight : Origin::kBatch;
}

// Joins the seeds that one split must cut together, until nothing more meets. [B3]
class Classes {
 public:
  explicit Classes(const BlockView& view) : view_(view) {
    for (int c : view.forward()) {
      if (view.IsRoot(c)) AddSeeds(c);
    }
    JoinUntilStable();
    AddLateSeeds();
    JoinUntilStable();
  }

  std::vector<std::vector<Seed>> Groups() const {
    std::vector<std::vector<Seed>> groups(seeds_.size());
    for (int s = 0; s < static_cast<int>(seeds_.size()); ++s)
      groups[classes_.Find(s)].push_back(seeds_[s]);
    groups.erase(
        std::remove_if(groups.begin(), groups.end(), [](const auto& g) { return g.empty(); }),
        groups.end());
    return groups;
  }

 private:
  void AddSeeds(int c) {
    const Rule& rule = view_.rule(view_.at(c).op);
    const int weight = view_.WeightOf(c);
    for (size_t f = 0; f < rule.factors.size(); ++f) {
      if (!CanBeCut(rule.factors[f].kind)) continue;
      AddSeed({c, static_cast<int>(f), view_.PartsOf(c, static_cast<int>(f)),
               OriginOf(rule, f, weight)});
    }
  }

  void AddSeed(const Seed& seed) {
    classes_.Add();
    seeds_.push_back(seed);
  }

  // Free factors of an absorbed contraction that no class reaches.
  void AddLateSeeds() {
    const std::vector<std::vector<Placed>> placed = PropagateAll();
    for (int c : view_.forward()) {
      if (view_.IsRoot(c)) continue;
      const OpId op = view_.at(c).op;
      const Rule& rule = view_.rule(op);
      for (size_t f = 0; f < rule.factors.size(); ++f) {
        const bool passes =
            rule.factors[f].kind == FactorKind::kPass && rule.result_site(f).dim >= 0;
        if (passes && !IsReached(op, static_cast<int>(f), placed)) {
          AddSeed({c, static_cast<int>(f), 1, Origin::kLate});
        }
      }
    }
  }

  bool IsReached(OpId op, int factor, const std::vector<std::vector<Placed>>& placed) const {
    const Span<OpId> operands = view_.graph().Reads(op);
    for (const std::vector<Placed>& values : placed) {
      for (const Placed& p : values) {
        for (size_t i = 0; i < operands.size(); ++i) {
          if (view_.number(operands[i]) != p.value) continue;
          if (FactorCut(view_.rule(op), static_cast<int>(i), p.split) == factor) return true;
        }
      }
    }
    return false;
  }

  // Per class (at the place of its least seed): every member that it cuts, and every input that its
  // roots want cut. An input that merely can be cut to fit (the other side of a product) makes no
  // two classes one.
  std::vector<std::vector<Placed>> PropagateAll() const {
    std::vector<std::vector<Placed>> placed(seeds_.size());
    for (int s = 0; s < static_cast<int>(seeds_.size()); ++s) {
      if (classes_.Find(s) != s) continue;
      const std::vector<Seed> seeds = ClassOf(s);
      placed[s] = PropagateClass(view_, seeds, 0).members;
      for (const Placed& wanted : WantedValues(view_, seeds)) {
        if (view_.RelationOf(wanted.value) == Relation::kInput) placed[s].push_back(wanted);
      }
    }
    return placed;
  }

  void JoinUntilStable() {
    while (JoinOnce()) {
    }
  }

  struct Cut {
    int seed;
    Split split;
  };

  bool JoinOnce() {
    const std::vector<std::vector<Placed>> placed = PropagateAll();
    std::unordered_map<OpId, std::vector<Cut>> cuts;
    for (int s = 0; s < static_cast<int>(placed.size()); ++s) {
      for (const Placed& p : placed[s]) cuts[p.value].push_back({s, p.split});
    }
    bool joined = false;
    for (OpId op : view_.ops()) joined = JoinAt(op, cuts) || joined;
    return joined;
  }

  // A class at one op: on the factor it cuts, through one operand or because it starts here
  // (operand -1).
  struct Arrival {
    int seed;
    int factor;
    int64_t within;
    int operand;
  };

  std::vector<Arrival> Arrivals(OpId op,
                                const std::unordered_map<OpId, std::vector<Cut>>& cuts) const {
    const Rule& rule = view_.rule(op);
    std::vector<Arrival> arrivals;
    const Span<OpId> operands = view_.graph().Reads(op);
    for (int i = 0; i < static_cast<int>(operands.size()); ++i) {
      const auto found = cuts.find(view_.number(operands[i]));
      if (found == cuts.end()) continue;
      for (const Cut& cut : found->second) {
        const int f = FactorCut(rule, i, cut.split);
        if (f >= 0)
          arrivals.push_back({cut.seed, f, cut.split.outer / rule.operand_site(f, i).outer, i});
      }
    }
    for (int s = 0; s < static_cast<int>(seeds_.size()); ++s) {
      if (view_.at(seeds_[s].contraction).op != op) continue;
      arrivals.push_back({s, seeds_[s].factor, seeds_[s].within, -1});
    }
    return arrivals;
  }

  bool JoinAt(OpId op, const std::unordered_map<OpId, std::vector<Cut>>& cuts) {
    const std::vector<Arrival> arrivals = Arrivals(op, cuts);
    bool joined = false;
    for (size_t a = 0; a < arrivals.size(); ++a) {
      for (size_t b = 0; b < a; ++b) {
        if (Meet(op, arrivals[a], arrivals[b]))
          joined = classes_.Unite(arrivals[a].seed, arrivals[b].seed) || joined;
      }
    }
    return joined;
  }

  // Classes that cut one factor, at the same depth in it, are one class. Through one operand they
  // are two ways to cut one value, unless it is an input of the block.
  bool Meet(OpId op, const Arrival& a, const Arrival& b) const {
    if (a.factor != b.factor || a.within != b.within) return false;
    if (!CanBeCut(view_.rule(op).factors[a.factor].kind) || !MayJoin(a, b)) return false;
    if (a.operand != b.operand) return true;
    return view_.RelationOf(view_.number(view_.graph().Reads(op)[a.operand])) == Relation::kInput;
  }

  // A gate multiplies its own projection: x (contracted by the projection) meets x · W on the way.
  // To cut W's free dimension one need not cut x, so a contracted class joins others only where
  // one of the two starts.
  bool MayJoin(const Arrival& a, const Arrival& b) const {
    const bool either_contracted = (OriginOfClass(ClassOf(a.seed)) == Origin::kContracted) !=
                                   (OriginOfClass(ClassOf(b.seed)) == Origin::kContracted);
    return !either_contracted || a.operand < 0 || b.operand < 0;
  }

  // The seeds that are cut together with `seed`.
  std::vector<Seed> ClassOf(int seed) const {
    std::vector<Seed> seeds;
    for (int s = 0; s < static_cast<int>(seeds_.size()); ++s) {
      if (classes_.Same(s, seed)) seeds.push_back(seeds_[s]);
    }
    return seeds;
  }

  const BlockView& view_;
  std::vector<Seed> seeds_;
  DisjointSets classes_;  // of seeds
};

}  // namespace

Origin OriginOfClass(const std::vector<Seed>& seeds) {
  Origin origin = Origin::kLate;
  for (const Seed& seed : seeds) origin = std::min(origin, seed.origin);
  return origin;
}

std::vector<std::vector<Seed>> FindClasses(const BlockView& view) { return Classes(view).Groups(); }

}  // namespace cfp
