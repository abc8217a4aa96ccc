#include "split.h"

#include <numeric>

namespace cfp {
namespace {

bool Cuts(const Factor& factor, const Site& site, const Split& split) {
  if (site.dim != split.dim || split.outer % site.outer != 0) return false;
  return split.outer / site.outer < factor.size;
}

}  // namespace

int FactorCut(const Rule& rule, int operand, const Split& split) {
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    if (Cuts(rule.factors[f], rule.operand_site(f, operand), split)) return static_cast<int>(f);
  }
  return -1;
}

int ResultFactorCut(const Rule& rule, const Split& split) {
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    if (Cuts(rule.factors[f], rule.result_site(f), split)) return static_cast<int>(f);
  }
  return -1;
}

Split SplitAt(const Factor& factor, const Site& site, int64_t within) {
  return {site.dim, site.outer * within, factor.size / within};
}

Split Carry(const Factor& factor, const Site& from, const Site& to, const Split& split) {
  const int64_t within = split.outer / from.outer;
  const int64_t left = factor.size % within == 0 ? factor.size / within : 1;
  return {to.dim, to.outer * within, std::gcd(split.granule, left)};
}

}  // namespace cfp
