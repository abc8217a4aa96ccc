// Reads ShapeProto and hashes it without its layout.
//
//   (f32[8,4], s32[])  ->  Shape{kTuple, elements -> {kF32, dims -> 8,4}, {kS32}}
#pragma once

#include <cstdint>
#include <vector>

#include "hlo_module.h"
#include "wire.h"

namespace cfp {

class ShapeReader {
 public:
  explicit ShapeReader(HloModule* module) : module_(*module) {}

  // Returns the hash of everything in the shape but layouts.
  uint64_t Read(WireReader reader, Shape* shape) { return ReadNested(reader, shape, 0); }

 private:
  uint64_t ReadNested(WireReader reader, Shape* shape, int depth);
  uint64_t ReadElement(WireReader reader, int depth);
  void MoveElements(size_t first, Shape* shape);
  void CheckSize(const WireReader& reader, const Shape& shape, const WireField& dims) const;

  HloModule& module_;
  std::vector<Shape> elements_;  // of the tuples that are still open, innermost last
};

}  // namespace cfp
