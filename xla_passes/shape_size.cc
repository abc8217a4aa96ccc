#include "shape_size.h"

namespace cfp {

Span<int64_t> WidestElement(const HloModule& module, const Shape& tuple) {
  Span<int64_t> widest;
  int64_t widest_count = 0;
  for (const Shape& element : module.list_shapes(tuple.elements)) {
    int64_t count = 1;
    for (const int64_t size : module.list(element.dims)) count *= size;
    if (count <= widest_count) continue;
    widest = module.list(element.dims);
    widest_count = count;
  }
  return widest;
}

int64_t SizeBytes(const HloModule& module, const Shape& shape) {
  int64_t bytes = 0;
  for (const Shape& element : module.list_shapes(shape.elements))
    bytes += SizeBytes(module, element);
  if (shape.dtype == DType::kTuple) return bytes;
  int64_t bits = BitWidth(shape.dtype);
  for (const int64_t size : module.list(shape.dims)) bits *= size;
  return (bits + 7) / 8;
}

}  // namespace cfp
