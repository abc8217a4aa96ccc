#include "op_sharding.h"

#include <algorithm>

#include "shape_size.h"
#include "wire.h"

namespace cfp {
namespace {

enum OpShardingField : uint32_t {
  kType = 1,
  kTileDimensions = 3,
  kTileDevices = 4,
  kTupleShardings = 5,
};
enum OpShardingType : uint64_t { kReplicated = 0, kTuple = 2, kOther = 3 };

std::string WholeSharding() {
  std::string out;
  AppendVarintField(&out, kType, kReplicated);
  return out;
}

std::string SplitSharding(size_t rank, size_t dim, int pieces) {
  std::string dimensions, devices, out;
  for (size_t d = 0; d < rank; ++d) {
    AppendVarint(&dimensions, d == dim ? static_cast<uint64_t>(pieces) : 1);
  }
  for (int device = 0; device < pieces; ++device) {
    AppendVarint(&devices, static_cast<uint64_t>(device));
  }
  AppendVarintField(&out, kType, kOther);
  AppendBytesField(&out, kTileDimensions, dimensions);
  AppendBytesField(&out, kTileDevices, devices);
  return out;
}

bool HasDims(Span<int64_t> left, Span<int64_t> right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

}  // namespace

std::string ShardingOf(const HloModule& module, const Shape& shape, const Split& split,
                       int pieces) {
  if (shape.dtype != DType::kTuple) {
    return split.dim < 0 ? WholeSharding() : SplitSharding(shape.dims.size, split.dim, pieces);
  }
  const Span<Shape> elements = module.list_shapes(shape.elements);
  const Span<int64_t> widest = WidestDims(module, shape);
  std::vector<std::string> shardings;
  for (const Shape& element : elements) {
    const bool described = HasDims(module.list(element.dims), widest);
    shardings.push_back(ShardingOf(module, element, described ? split : Split{}, pieces));
  }
  return TupleSharding(shardings);
}

std::string TupleSharding(const std::vector<std::string>& elements) {
  std::string out;
  AppendVarintField(&out, kType, kTuple);
  for (const std::string& element : elements) AppendBytesField(&out, kTupleShardings, element);
  return out;
}

}  // namespace cfp
