// Reads shapes; see hlo_shape.h.
#include "hlo_shape.h"

#include <algorithm>

#include "hash.h"
#include "hlo_attributes.h"
#include "hlo_fields.h"

namespace cfp {
namespace {

constexpr int kMaxTupleDepth = 64;
constexpr int64_t kMaxElements = int64_t{1}
                                 << 56;  // so that bits and FLOPs of one array still fit in 64 bits

}  // namespace

uint64_t ShapeReader::ReadNested(WireReader reader, Shape* shape, int depth) {
  *shape = Shape{};
  uint64_t hash = kHashSeed;
  const size_t first_element = elements_.size();
  WireField dims;
  for (WireField field; reader.Next(&field);) {
    if (field.number == ShapeField::kLayout) continue;
    if (field.number == ShapeField::kTupleShapes) {
      if (depth == kMaxTupleDepth) {
        reader.Fail("tuple shapes nested more than 64 deep", field.wire.data());
      }
      hash = MixHash(hash, ReadElement(reader.Message(field), depth + 1));
      continue;
    }
    hash = HashBytes(hash, field.wire);
    if (field.number == ShapeField::kElementType) {
      const int64_t dtype = reader.Integer(field);
      if (dtype < 0 || dtype > 255) reader.Fail("an element type out of range", field.wire.data());
      shape->dtype = static_cast<DType>(dtype);
    } else if (field.number == ShapeField::kDimensions) {
      AppendRun(reader, field, &module_.ints, &shape->dims);
      dims = field;
    }
  }
  CheckSize(reader, *shape, dims);
  MoveElements(first_element, shape);
  return hash;
}

uint64_t ShapeReader::ReadElement(WireReader reader, int depth) {
  Shape element;
  const uint64_t hash = ReadNested(reader, &element, depth);
  elements_.push_back(element);
  return hash;
}

void ShapeReader::MoveElements(size_t first, Shape* shape) {
  shape->elements.begin = static_cast<uint32_t>(module_.shapes.size());
  shape->elements.size = static_cast<uint32_t>(elements_.size() - first);
  module_.shapes.insert(module_.shapes.end(), elements_.begin() + first, elements_.end());
  elements_.resize(first);
}

void ShapeReader::CheckSize(const WireReader& reader, const Shape& shape,
                            const WireField& dims) const {
  int64_t elements = 1;
  for (const int64_t size : module_.list(shape.dims)) {
    if (size < 0) reader.Fail("a dimension of size " + std::to_string(size), dims.wire.data());
    if (size > kMaxElements / elements) {
      reader.Fail("a shape of more than 2^56 elements", dims.wire.data());
    }
    elements *= std::max<int64_t>(size, 1);
  }
}

}  // namespace cfp
