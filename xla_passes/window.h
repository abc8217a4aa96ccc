// One dimension of a sliding window, and what kind of sliding it is.
//
//   size 3, stride 1, padding 1     overlaps its neighbours
//   size 2, stride 2, no padding    tiles the dimension: 8 -> 4 pairs
#pragma once

#include <cstdint>

#include "rule_writer.h"

namespace cfp {

// Wide enough for products of any two numbers that HLO may name.
using Wide = __int128;

struct Window {
  int64_t size, stride, low, high, dilation, base_dilation, reversed;

  // How many neighbouring elements one window spans.
  Wide reach() const { return (Wide{size} - 1) * dilation + 1; }
  bool padded() const { return low != 0 || high != 0; }
};

// The window of dimension `dim` in an op's flat list of window attributes.
Window WindowAt(const Numbers& attributes, int64_t dim);

// Each result element reads a cell of `stride` elements of its own, so in = out · stride.
bool Tiles(const Window& window, int64_t in, int64_t out);

// The window picks one element of each of `size` cells of `out` elements: in = size · out. This is
// the gradient of a tiling convolution by its kernel.
bool CombsThrough(const Window& window, int64_t in, int64_t out);

// Each element becomes a cell of `size` elements of its own: out = in · size. This is the gradient
// of a tiling convolution by its input.
bool Stamps(const Window& window, int64_t in, int64_t out);

// Writes the factors of a sliding dimension whose windows overlap, `array` being the operands that
// are slid over, alike.
void WriteHalo(RuleWriter& rule, const Window& window, size_t num_arrays, int64_t in_dim,
               int64_t out_dim);

}  // namespace cfp
