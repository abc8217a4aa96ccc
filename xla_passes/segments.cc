#include "segments.h"

#include <algorithm>
#include <unordered_map>

#include "block_signature.h"
#include "hash.h"

namespace cfp {
namespace {

// A stretch of `repeats` equal runs of `period` blocks.
struct Tandem {
  int begin = 0, period = 0, repeats = 0;
  int Saved() const { return (repeats - 1) * period; }
  bool BetterThan(const Tandem& other) const {
    if (Saved() != other.Saved()) return Saved() > other.Saved();
    if (period != other.period) return period < other.period;
    return begin < other.begin;
  }
};

class Cover {
 public:
  explicit Cover(const BlockSignatures& signatures) : signatures_(signatures) {}

  // Covers blocks [begin, end), which run `times` times in one step.
  void RunRegion(int begin, int end, int64_t times) {
    times_ = times;
    Run(begin, end);
  }

  std::vector<Segment> Take() && {
    std::sort(list_.begin(), list_.end(),
              [](const Segment& a, const Segment& b) { return a.starts < b.starts; });
    return std::move(list_);
  }

 private:
  // [S3] Takes the tandem that leaves the fewest distinct blocks, then covers what is left on both
  // sides. Comparing every block with the one a period later is quadratic in blocks, not in ops:
  // 5,000 blocks take 12 million comparisons of integers.
  void Run(int begin, int end) {
    const Tandem best = BestTandem(begin, end);
    if (best.repeats < 2) {
      if (begin < end) Add(begin, end - begin);
      return;
    }
    Run(begin, best.begin);
    for (int r = 0; r < best.repeats; ++r) Add(best.begin + r * best.period, best.period);
    Run(best.begin + best.repeats * best.period, end);
  }

  Tandem BestTandem(int begin, int end) const {
    Tandem best;
    for (int period = 1; 2 * period <= end - begin; ++period) {
      int equal = 0;
      for (int i = begin; i + period <= end; ++i) {
        const bool same =
            i + period < end && signatures_.OfBlock(i) == signatures_.OfBlock(i + period);
        if (same) {
          ++equal;
        } else {
          if (equal >= period) Consider(i - equal, equal + period, period, &best);
          equal = 0;
        }
      }
    }
    return best;
  }

  // A stretch of `length` blocks with this period, any of whose first `length % period` blocks may
  // begin it.
  void Consider(int begin, int length, int period, Tandem* best) const {
    if ((length / period - 1) * period < best->Saved()) return;
    for (int shift = 0; shift <= length % period; ++shift) {
      const Tandem found = LongestEqual({begin + shift, period, (length - shift) / period});
      if (found.repeats >= 2 && (best->repeats < 2 || found.BetterThan(*best))) *best = found;
    }
  }

  // Blocks alike one by one may still be wired differently; the longest stretch of runs that are
  // not.
  Tandem LongestEqual(const Tandem& whole) const {
    Tandem best{whole.begin, whole.period, 1}, now = best;
    uint64_t last = signatures_.OfRun(whole.begin, whole.begin + whole.period);
    for (int r = 1; r < whole.repeats; ++r) {
      const int begin = whole.begin + r * whole.period;
      const uint64_t run = signatures_.OfRun(begin, begin + whole.period);
      now = run == last ? Tandem{now.begin, whole.period, now.repeats + 1}
                        : Tandem{begin, whole.period, 1};
      last = run;
      if (now.repeats > best.repeats) best = now;
    }
    return best;
  }

  void Add(int begin, int blocks) {
    const uint64_t run = signatures_.OfRun(begin, begin + blocks) + static_cast<uint64_t>(blocks);
    const uint64_t key = MixHash(run, static_cast<uint64_t>(times_));
    const auto [place, is_new] = by_signature_.try_emplace(key, list_.size());
    if (is_new) list_.push_back({blocks, {}, times_});
    list_[place->second].starts.push_back(begin);
  }

  const BlockSignatures& signatures_;
  std::vector<Segment> list_;
  std::unordered_map<uint64_t, size_t> by_signature_;
  int64_t times_ = 1;
};

// The loop body that a block's contractions stand in.
std::vector<int> RegionsOf(const Graph& graph, const Contractions& contractions,
                           const Blocks& blocks) {
  std::vector<int> regions;
  for (const ParallelBlock& block : blocks.list) {
    const OpId op = block.contractions.empty() ? block.ops.front()
                                               : contractions.list[block.contractions.front()].op;
    regions.push_back(graph.ops[op].region);
  }
  return regions;
}

}  // namespace

Segments FindSegments(const Graph& graph, const ValueNumbers& numbers,
                      const Contractions& contractions, const Blocks& blocks) {
  const BlockSignatures signatures(graph, numbers, contractions, blocks);
  const std::vector<int> region = RegionsOf(graph, contractions, blocks);
  const int count = static_cast<int>(region.size());
  Cover cover(signatures);
  for (int begin = 0, end = 0; begin < count; begin = end) {
    while (end < count && region[end] == region[begin]) ++end;
    cover.RunRegion(begin, end, graph.regions[region[begin]].times);
  }
  Segments segments;
  segments.list = std::move(cover).Take();
  for (size_t b = 0; b < blocks.list.size(); ++b)
    segments.signature.push_back(signatures.OfBlock(static_cast<int>(b)));
  return segments;
}

}  // namespace cfp
