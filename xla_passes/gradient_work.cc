#include "gradient_work.h"

#include <algorithm>
#include <tuple>

namespace cfp {
namespace {

constexpr Work kNothing;

class Transfer {
 public:
  Transfer(const Analysis& analysis, int gradient)
      : graph_(analysis.graph),
        numbers_(analysis.numbers),
        gradient_(analysis.contractions.list[gradient]),
        forward_(analysis.contractions.list[gradient_.forward]),
        from_(analysis.rules.of(forward_.op)),
        to_(analysis.rules.of(gradient_.op)) {}

  Work Of(const Work& forward) const {
    if (gradient_.is_lookup) return OfLookup(forward);
    const int kept = 1 - gradient_.gradient_of;
    if (from_.operand_site(forward.factor, kept).dim < 0) return OfCotangent(forward, kept);
    const Split at = Moved(SplitAt(from_.factors[forward.factor],
                                   from_.operand_site(forward.factor, kept), forward.within),
                           graph_.operands(forward_.op)[kept], Kept());
    return WorkAt(at, 1 - gradient_.cotangent_operand);
  }

 private:
  OpId Kept() const { return graph_.operands(gradient_.op)[1 - gradient_.cotangent_operand]; }

  // A split of one view of an array as a split of another view of it.
  Split Moved(Split split, OpId view, OpId other) const {
    const Peeled a = Peel(graph_, numbers_, view), b = Peel(graph_, numbers_, other);
    const int base = split.dim < a.rank ? a.dim[split.dim] : -1;
    split.dim = -1;
    for (int i = 0; i < b.rank && base >= 0; ++i) {
      if (b.dim[i] == base) split.dim = static_cast<int16_t>(i);
    }
    return split;
  }

  Work WorkAt(const Split& split, int operand) const {
    const int f = split.dim < 0 ? -1 : FactorCut(to_, operand, split);
    if (f < 0 || !CanBeCut(to_.factors[f].kind)) return kNothing;
    return {f, split.outer / to_.operand_site(f, operand).outer};
  }

  // The n-th factor of the result that the kept operand does not have is the n-th such factor of
  // the cotangent.
  Work OfCotangent(const Work& forward, int kept) const {
    const int cotangent = gradient_.cotangent_operand;
    const std::vector<int> from =
        Ordered(from_, from_.num_operands, [&](int f) { return !OnOperand(from_, f, kept); });
    const std::vector<int> to =
        Ordered(to_, cotangent, [&](int f) { return !OnOperand(to_, f, 1 - cotangent); });
    const auto at = std::find(from.begin(), from.end(), forward.factor);
    if (at == from.end() || from.size() != to.size()) return kNothing;
    const int f = to[at - from.begin()];
    if (to_.factors[f].size != from_.factors[forward.factor].size) return kNothing;
    return {f, forward.within};
  }

  static bool OnOperand(const Rule& rule, int factor, int operand) {
    return rule.operand_site(factor, operand).dim >= 0;
  }

  // The factors on `array` (an operand, or the result) that can be cut and qualify, from its major
  // end.
  template <typename Qualifies>
  static std::vector<int> Ordered(const Rule& rule, int array, Qualifies qualifies) {
    const auto site = [&](int f) { return rule.sites[f * (rule.num_operands + 1) + array]; };
    std::vector<int> factors;
    for (int f = 0; f < static_cast<int>(rule.factors.size()); ++f) {
      if (site(f).dim >= 0 && CanBeCut(rule.factors[f].kind) && qualifies(f)) factors.push_back(f);
    }
    std::sort(factors.begin(), factors.end(), [&](int a, int b) {
      return std::make_tuple(site(a).dim, site(a).outer) <
             std::make_tuple(site(b).dim, site(b).outer);
    });
    return factors;
  }

  // rows[b,d] = table[v,d] at indices[b]; d table = scatter-add of d rows at the same indices.
  Work OfLookup(const Work& forward) const {
    const Factor& factor = from_.factors[forward.factor];
    const Site& rows = from_.result_site(forward.factor);
    const bool same = SameDims(graph_, forward_.op, graph_.operands(gradient_.op)[2]);
    if (rows.dim >= 0) return same ? WorkAt(SplitAt(factor, rows, forward.within), 2) : kNothing;
    const Split table = SplitAt(factor, from_.operand_site(forward.factor, 0), forward.within);
    const int f = ResultFactorCut(to_, table);
    return f < 0 ? kNothing : Work{f, table.outer / to_.result_site(f).outer};
  }

  const Graph& graph_;
  const ValueNumbers& numbers_;
  const Contraction& gradient_;
  const Contraction& forward_;
  const Rule &from_, &to_;
};

}  // namespace

Work GradientWork(const Analysis& analysis, int gradient, const Work& forward) {
  if (forward.factor < 0) return kNothing;
  return Transfer(analysis, gradient).Of(forward);
}

}  // namespace cfp
