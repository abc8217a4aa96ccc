// See window.h.
#include "window.h"

namespace cfp {
namespace {

constexpr int64_t kNumbersPerDim = 7;

// A window that spans the whole dimension needs all of it, not the neighbours' edges.
FactorKind KindOf(const Window& window, int64_t in) {
  return window.reach() > 1 && window.reach() >= Wide{in} * window.base_dilation
             ? FactorKind::kReplicate
             : FactorKind::kHalo;
}

void OnArrays(Placement placement, size_t num_arrays, int64_t dim, int64_t outer = 1) {
  for (size_t i = 0; i < num_arrays; ++i) placement.OnOperand(i, dim, outer);
}

}  // namespace

Window WindowAt(const Numbers& attributes, int64_t dim) {
  const int64_t at = dim * kNumbersPerDim;
  return {attributes[at],     attributes[at + 1], attributes[at + 2], attributes[at + 3],
          attributes[at + 4], attributes[at + 5], attributes[at + 6]};
}

bool Tiles(const Window& window, int64_t in, int64_t out) {
  return window.reach() <= window.stride && window.low == 0 && window.base_dilation == 1 &&
         in == Wide{out} * window.stride;
}

bool CombsThrough(const Window& window, int64_t in, int64_t out) {
  return window.stride == 1 && !window.padded() && window.base_dilation == 1 && !window.reversed &&
         in == Wide{window.size} * window.dilation && out == window.dilation;
}

bool Stamps(const Window& window, int64_t in, int64_t out) {
  return window.base_dilation == window.size && window.stride == 1 && window.dilation == 1 &&
         window.low == window.high && window.reach() == Wide{window.low} + 1 &&
         out == Wide{in} * window.size;
}

void WriteHalo(RuleWriter& rule, const Window& window, size_t num_arrays, int64_t in_dim,
               int64_t out_dim) {
  const int64_t in = rule.operand_dims(0)[in_dim];
  const int64_t out = rule.result_dims()[out_dim];
  const FactorKind kind = KindOf(window, in);
  if (window.base_dilation == 1 && in == Wide{out} * window.stride) {
    OnArrays(rule.Add(out, kind).OnResult(out_dim), num_arrays, in_dim);
    OnArrays(rule.Add(window.stride, FactorKind::kReplicate), num_arrays, in_dim, out);
  } else if (window.stride == 1 && out == Wide{in} * window.base_dilation) {
    OnArrays(rule.Add(in, kind).OnResult(out_dim), num_arrays, in_dim);
    rule.Add(window.base_dilation, FactorKind::kReplicate).OnResult(out_dim, in);
  } else {
    OnArrays(rule.Add(in, kind), num_arrays, in_dim);
    rule.Add(out, kind).OnResult(out_dim);
  }
}

}  // namespace cfp
