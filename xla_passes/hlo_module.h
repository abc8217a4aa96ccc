// An HloModule as it stands in its protobuf: computations of instructions, names resolved to
// nothing yet.
//
//   bytes --ReadHloModule--> HloModule --BuildGraph--> Graph (flat, calls inlined, canonical order)
//
// Strings are views into the bytes, which the module keeps alive. Lists of integers (dimensions,
// operand ids) live in one pool and are named by `Ints`, so reading 100,000 instructions makes a
// handful of allocations. Attributes and sources have pools too: most instructions have no
// attributes and many come from the same line, and what an instruction does not carry need not be
// written to fresh memory, which is most of the cost of reading. Instance: `d = f32[8,4] dot(a, w),
// lhs_contracting_dims={1}` is one Instruction with opcode kDot, shape {kF32, Ints -> 8,4},
// operands Ints -> ids of a and w, and module.attributes(d).dot.lhs_contracting Ints -> 1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "opcode.h"

namespace cfp {

// xla::PrimitiveType by number; only the ones with a meaning here are named.
enum class DType : uint8_t {
  kInvalid = 0,
  kPred = 1,
  kS8 = 2,
  kS16 = 3,
  kS32 = 4,
  kS64 = 5,
  kU8 = 6,
  kU16 = 7,
  kU32 = 8,
  kU64 = 9,
  kF16 = 10,
  kF32 = 11,
  kF64 = 12,
  kTuple = 13,
  kOpaque = 14,
  kC64 = 15,
  kBF16 = 16,
  kToken = 17,
  kC128 = 18,
};
bool IsFloat(DType dtype);                // every floating type, the 8- and 4-bit ones too
int BitWidth(DType dtype);                // 0 for tuples, tokens and opaque
std::string_view DTypeText(DType dtype);  // "f32"

// A run of int64 in HloModule::ints (or of Shapes in HloModule::shapes).
struct Ints {
  uint32_t begin = 0;
  uint32_t size = 0;
};

template <typename T>
struct Span {
  const T* data = nullptr;
  size_t count = 0;
  const T* begin() const { return data; }
  const T* end() const { return data + count; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  const T& operator[](size_t i) const { return data[i]; }
};

struct Shape {
  DType dtype = DType::kInvalid;
  Ints dims;
  Ints elements;  // of a tuple: a run in HloModule::shapes
};

struct DotAttributes {
  Ints lhs_contracting, rhs_contracting, lhs_batch, rhs_batch;
};

// Gather and scatter share their shape: "window" dims are gather's offset_dims and scatter's
// update_window_dims; "collapsed" are collapsed_slice_dims / inserted_window_dims; "index_map" is
// start_index_map / scatter_dims_to_operand_dims.
struct GatherAttributes {
  Ints window_dims, collapsed_dims, index_map, operand_batching_dims, indices_batching_dims;
  Ints slice_sizes;  // gather only
  int64_t index_vector_dim = 0;
};

struct ConvAttributes {
  int64_t input_batch = 0, input_feature = 0, kernel_input = 0, kernel_output = 0;
  int64_t output_batch = 0, output_feature = 0;
  Ints input_spatial, kernel_spatial, output_spatial;
  int64_t feature_groups = 1, batch_groups = 1;
};

// What an op is beyond its operands. Absent parts are empty.
struct Attributes {
  Ints dimensions;  // broadcast, transpose, reduce, concatenate, reverse, iota, sort, all-gather …
  Ints slice_starts, slice_limits, slice_strides;
  Ints slice_sizes;  // dynamic-slice
  Ints padding;      // 3 per dim: low, high, interior
  Ints window;       // 7 per dim: size, stride, pad_low, pad_high, window_dilation, base_dilation,
                     // reversal
  DotAttributes dot;
  uint32_t gather = 0;  // in HloModule::gather_pool
  uint32_t conv = 0;    // in HloModule::conv_pool
  int64_t index = 0;    // parameter number, or tuple index
  std::string_view custom_call_target;
  std::string_view comparison;  // "LT", "EQ" …
  std::string_view literal;     // the wire bytes of a constant's value
};

// A line of the user's program; empty where the module does not say.
struct Source {
  std::string_view file;
  int64_t line = 0;
};

// What `to_apply` of a reduce, scatter or reduce-window computes, where it is one op of its two
// arguments.
enum class Combiner : uint8_t { kNone, kAdd, kMultiply, kMaximum, kMinimum, kAnd, kOr, kOther };

struct Instruction {
  int64_t id = 0;
  std::string_view name;
  std::string_view opcode_text;
  Opcode opcode = Opcode::kUnknown;
  Shape shape;
  Ints operands;             // instruction ids
  Ints called;               // computation ids
  uint32_t attributes = 0;   // in HloModule::attribute_pool
  uint32_t source = 0;       // in HloModule::source_pool
  uint64_t fingerprint = 0;  // of all that changes what is computed; never names, ids or metadata
  std::string_view op_name;  // metadata: where the instruction comes from in the user's program
  std::string_view wire;     // its own message in the bytes: what the splice writer edits
};

struct Computation {
  int64_t id = 0;
  std::string_view name;
  uint32_t begin = 0, end = 0;  // its instructions, a run in HloModule::instructions
  int64_t root_id = 0;
  bool is_fusion = false;
};

struct HloModule {
  std::shared_ptr<const std::string> bytes;
  std::string_view name;
  std::vector<Computation> computations;
  std::vector<Instruction> instructions;
  std::vector<int64_t> ints;
  std::vector<Shape> shapes;
  // The first of each stands for all instructions that have none.
  std::vector<Attributes> attribute_pool = std::vector<Attributes>(1);
  std::vector<GatherAttributes> gather_pool = std::vector<GatherAttributes>(1);
  std::vector<ConvAttributes> conv_pool = std::vector<ConvAttributes>(1);
  std::vector<Source> source_pool = std::vector<Source>(1);
  int64_t entry_id = 0;

  Span<int64_t> list(Ints run) const { return {ints.data() + run.begin, run.size}; }
  Span<Shape> list_shapes(Ints run) const { return {shapes.data() + run.begin, run.size}; }
  const Attributes& attributes(const Instruction& instruction) const {
    return attribute_pool[instruction.attributes];
  }
  const GatherAttributes& gather(const Instruction& instruction) const {
    return gather_pool[attributes(instruction).gather];
  }
  const ConvAttributes& conv(const Instruction& instruction) const {
    return conv_pool[attributes(instruction).conv];
  }
  const Source& source(const Instruction& instruction) const {
    return source_pool[instruction.source];
  }

  // For writing: what `instruction` has of its own, made where it has none yet.
  Attributes& OwnAttributes(Instruction* instruction) {
    return Own(&attribute_pool, &instruction->attributes);
  }
  GatherAttributes& OwnGather(Instruction* instruction) {
    return Own(&gather_pool, &OwnAttributes(instruction).gather);
  }
  ConvAttributes& OwnConv(Instruction* instruction) {
    return Own(&conv_pool, &OwnAttributes(instruction).conv);
  }

 private:
  template <typename T>
  static T& Own(std::vector<T>* pool, uint32_t* position) {
    if (*position == 0) {
      *position = static_cast<uint32_t>(pool->size());
      pool->emplace_back();
    }
    return (*pool)[*position];
  }
};

}  // namespace cfp
