// How large arrays are, and tuples of arrays.
//
//   f32[8,16]                 8 and 16    512 bytes
//   (f32[8,16], f32[16])      8 and 16    576 bytes
#pragma once

#include <cstdint>

#include "hlo_module.h"

namespace cfp {

// An op with several results is described by its widest one, the first among equals: a sort's
// results are all alike, and of a random state and its bits the bits count.
Span<int64_t> WidestElement(const HloModule& module, const Shape& tuple);
inline Span<int64_t> WidestDims(const HloModule& module, const Shape& shape) {
  return shape.dtype == DType::kTuple ? WidestElement(module, shape) : module.list(shape.dims);
}

inline int64_t Elements(Span<int64_t> dims) {
  int64_t elements = 1;
  for (int64_t d : dims) elements *= d;
  return elements;
}

int64_t SizeBytes(const HloModule& module, const Shape& shape);

}  // namespace cfp
