// For tests of the passes: a train step written line by line, then analysed.
//
//   Program p;
//   const Array x = p.Input({8, 32, 64}), w = p.Input({64, 128});
//   const Array y = p.MatMul(x, w);
//   const Array loop = p.Loop(12, {y}, [&](Array, Arrays carry) {
//     return Arrays{p.Apply("tanh", carry)};            // lines in here go to the loop's body
//   })[0];
//   const std::string bytes = p.Serialized({loop});     // a HloModuleProto with these results
//
// Arrays are f32 unless said otherwise. model_testing.h writes layers of it, analysis_testing.h
// reads what comes out.
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "graph_testing.h"

namespace cfp::testing {

struct Array {
  int64_t id = 0;
  Integers dims;
  DType dtype = DType::kF32;
};
using Arrays = std::vector<Array>;

class Program {
 public:
  Program() : computations_{HloText(kEntry)} {}

  // Any op at all.
  Array Add(std::string_view opcode, const Arrays& operands, const Integers& dims,
            const std::string& attributes = "", DType dtype = DType::kF32) {
    Integers ids;
    for (const Array& operand : operands) ids.push_back(operand.id);
    return {text().Add(opcode, ArrayShape(dtype, dims), ids, attributes), dims, dtype};
  }

  Array Input(const Integers& dims, DType dtype = DType::kF32) {
    return {text().Parameter(inputs_++, ArrayShape(dtype, dims)), dims, dtype};
  }
  Array Constant(float value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    const std::string literal =
        BytesField(LiteralField::kShape, F32({})) + BytesField(kLiteralF32s, bytes);
    return Add("constant", {}, {}, BytesField(InstructionField::kLiteral, literal));
  }
  Array Integer(int64_t value) { return {text().Constant(value), {}, DType::kS32}; }
  Array Filled(float value, const Integers& dims) { return Broadcast(Constant(value), dims, {}); }

  Array Iota(const Integers& dims, int64_t dim) { return Add("iota", {}, dims, Dimensions({dim})); }

  // An elementwise op.
  Array Apply(std::string_view opcode, const Arrays& operands) {
    return Add(opcode, operands, operands[0].dims, "", operands[0].dtype);
  }
  Array Plus(const Array& a, const Array& b) { return Apply("add", {a, b}); }
  Array Times(const Array& a, const Array& b) { return Apply("multiply", {a, b}); }
  Array Convert(const Array& a, DType dtype) { return Add("convert", {a}, a.dims, "", dtype); }
  // Hides from XLA that its result is its operand.
  Array Barrier(const Array& a) { return Add("opt-barrier", {a}, a.dims, "", a.dtype); }

  // dims[i] of the operand becomes dimension at[i] of the result.
  Array Broadcast(const Array& a, const Integers& dims, const Integers& at) {
    return Add("broadcast", {a}, dims, Dimensions(at), a.dtype);
  }
  Array Reshape(const Array& a, const Integers& dims) {
    return Add("reshape", {a}, dims, "", a.dtype);
  }
  Array Transpose(const Array& a, const Integers& permutation) {
    Integers dims;
    for (const int64_t d : permutation) dims.push_back(a.dims[d]);
    return Add("transpose", {a}, dims, Dimensions(permutation), a.dtype);
  }
  Array Reverse(const Array& a, const Integers& over) {
    return Add("reverse", {a}, a.dims, Dimensions(over), a.dtype);
  }
  Array Sum(const Array& a, const Integers& over) { return Reduce(a, over, kSum); }
  Array Maximum(const Array& a, const Integers& over) { return Reduce(a, over, kMaximum); }
  // By what cannot be put together from partial results.
  Array Fold(const Array& a, const Integers& over) { return Reduce(a, over, kPower); }

  // An op with several results.
  Arrays AddAll(std::string_view opcode, const Arrays& operands, const Arrays& like,
                const std::string& attributes = "") {
    Integers ids;
    for (const Array& operand : operands) ids.push_back(operand.id);
    return Elements(text().Add(opcode, TupleShape(like), ids, attributes), like);
  }
  // The arrays in the order of the first.
  Arrays Sort(const Arrays& arrays, int64_t dim) {
    return AddAll("sort", arrays, arrays, Dimensions({dim}));
  }

  // Elements [start, limit) of one dimension.
  Array Slice(const Array& a, int64_t dim, int64_t start, int64_t limit) {
    std::string slices;
    Integers dims = a.dims;
    dims[dim] = limit - start;
    for (int64_t d = 0; d < static_cast<int64_t>(dims.size()); ++d) {
      slices += BytesField(InstructionField::kSlices,
                           IntegerField(1, d == dim ? start : 0) +
                               IntegerField(2, d == dim ? limit : a.dims[d]) + IntegerField(3, 1));
    }
    return Add("slice", {a}, dims, slices, a.dtype);
  }
  // Row `at` of dimension 0, kept as a dimension of size 1.
  Array Row(const Array& stack, const Array& at) {
    Integers dims = stack.dims;
    dims[0] = 1;
    return Add("dynamic-slice", WithOrigin({stack}, at, dims.size()), dims,
               PackedField(InstructionField::kDynamicSliceSizes, dims), stack.dtype);
  }
  Array WithRow(const Array& stack, const Array& row, const Array& at) {
    return Add("dynamic-update-slice", WithOrigin({stack, row}, at, stack.dims.size()), stack.dims,
               "", stack.dtype);
  }

  // The result lists batch, left free and right free dimensions.
  struct Dims {
    Integers left, right;
  };
  Array Dot(const Array& left, const Array& right, const Dims& contracted, const Dims& batch = {}) {
    Integers dims;
    for (const int64_t d : batch.left) dims.push_back(left.dims[d]);
    AppendFree(left, contracted.left, batch.left, &dims);
    AppendFree(right, contracted.right, batch.right, &dims);
    const std::string numbers = PackedField(DotField::kLhsContracting, contracted.left) +
                                PackedField(DotField::kRhsContracting, contracted.right) +
                                PackedField(DotField::kLhsBatch, batch.left) +
                                PackedField(DotField::kRhsBatch, batch.right);
    return Add("dot", {left, right}, dims, BytesField(InstructionField::kDot, numbers), left.dtype);
  }
  // x[…, k] · w[k, n], and its two gradients.
  Array MatMul(const Array& x, const Array& w) { return Dot(x, w, {{Rank(x) - 1}, {0}}); }
  Array InputGradient(const Array& dy, const Array& w) { return Dot(dy, w, {{Rank(dy) - 1}, {1}}); }
  Array WeightGradient(const Array& x, const Array& dy) {
    Integers rows;
    for (int64_t d = 0; d + 1 < Rank(x); ++d) rows.push_back(d);
    return Dot(x, dy, {rows, rows});
  }

  // The rows of a [rows, columns] table at integer indices, and the gradient of that.
  Array Lookup(const Array& table, const Array& indices) {
    Integers dims = indices.dims;
    dims.push_back(table.dims[1]);
    return Add("gather", {table, indices}, dims,
               BytesField(InstructionField::kGather, LookupNumbers(Rank(indices))) +
                   PackedField(InstructionField::kGatherSliceSizes, {1, table.dims[1]}),
               table.dtype);
  }
  Array AddRows(const Array& table, const Array& indices, const Array& rows) {
    return Add("scatter", {table, indices, rows}, table.dims,
               BytesField(InstructionField::kScatter, LookupNumbers(Rank(indices))) + Calls({kSum}),
               table.dtype);
  }

  // Runs `body` `trips` times on what it returned before; the results are those of the last trip.
  // `body` takes the number of the trip too. It sees nothing but what it is given.
  using Body = std::function<Arrays(const Array& trip, const Arrays& carry)>;
  Arrays Loop(int64_t trips, const Arrays& initial, const Body& body);

  // As one HloModuleProto. The last form lists every computation as `relist` says.
  std::string Serialized(const Arrays& results);
  std::string Serialized(const Arrays& results,
                         const std::function<HloText(const HloText&)>& relist);

 private:
  static constexpr int64_t kSum = 1, kMaximum = 2, kPower = 3, kEntry = 4;
  static constexpr uint32_t kLiteralF32s = 8;

  HloText& text() { return computations_[current_]; }
  static int64_t Rank(const Array& a) { return static_cast<int64_t>(a.dims.size()); }
  static std::string Dimensions(const Integers& dims) {
    return PackedField(InstructionField::kDimensions, dims);
  }
  static std::string TupleShape(const Arrays& elements) {
    std::vector<std::string> shapes;
    for (const Array& a : elements) shapes.push_back(ArrayShape(a.dtype, a.dims));
    return TupleOf(shapes);
  }
  static bool Has(const Integers& list, int64_t item) {
    for (const int64_t i : list) {
      if (i == item) return true;
    }
    return false;
  }
  static void AppendFree(const Array& a, const Integers& contracted, const Integers& batch,
                         Integers* dims) {
    for (int64_t d = 0; d < Rank(a); ++d) {
      if (!Has(contracted, d) && !Has(batch, d)) dims->push_back(a.dims[d]);
    }
  }
  static std::string LookupNumbers(int64_t rank_of_indices) {
    return PackedField(GatherField::kWindowDims, {rank_of_indices}) +
           PackedField(GatherField::kCollapsedDims, {0}) +
           PackedField(GatherField::kIndexMap, {0}) +
           IntegerField(GatherField::kIndexVectorDim, rank_of_indices);
  }
  Array Reduce(const Array& a, const Integers& over, int64_t combiner) {
    Integers dims;
    AppendFree(a, over, {}, &dims);
    return Add("reduce", {a, Constant(0)}, dims, Dimensions(over) + Calls({combiner}), a.dtype);
  }
  Arrays WithOrigin(Arrays operands, const Array& first, size_t rank) {
    operands.push_back(first);
    for (size_t d = 1; d < rank; ++d) operands.push_back(Integer(0));
    return operands;
  }
  int64_t Tuple(const Arrays& elements) {
    Integers ids;
    for (const Array& a : elements) ids.push_back(a.id);
    return text().Add("tuple", TupleShape(elements), ids);
  }
  Array Element(int64_t tuple, size_t index, const Array& like) {
    const std::string shape = ArrayShape(like.dtype, like.dims);
    return {text().Element(tuple, static_cast<int64_t>(index), shape), like.dims, like.dtype};
  }
  Arrays Elements(int64_t tuple, const Arrays& like) {
    Arrays elements;
    for (size_t i = 0; i < like.size(); ++i) elements.push_back(Element(tuple, i, like[i]));
    return elements;
  }
  // Makes a computation of one tuple and returns its id; the lines of `write` go to it.
  int64_t Computation(const Arrays& state, const std::function<void(const Arrays&)>& write) {
    const size_t outer = current_;
    current_ = computations_.size();
    const auto id = kEntry + static_cast<int64_t>(current_);
    computations_.emplace_back(id);
    write(Elements(text().Parameter(0, TupleShape(state)), state));
    current_ = outer;
    return id;
  }

  std::vector<HloText> computations_;  // ids from kEntry on; what is called comes after its caller
  size_t current_ = 0;
  int64_t inputs_ = 0;
};

inline Arrays Program::Loop(int64_t trips, const Arrays& initial, const Body& body) {
  Arrays state{Integer(0)};
  state.insert(state.end(), initial.begin(), initial.end());
  const int64_t run = Computation(state, [&](const Arrays& carry) {
    Arrays next{Plus(carry[0], Integer(1))};
    for (const Array& a : body(carry[0], {carry.begin() + 1, carry.end()})) next.push_back(a);
    Tuple(next);
  });
  const int64_t goes_on = Computation(state, [&](const Arrays& carry) {
    Add("compare", {carry[0], Integer(trips)}, {}, Direction("LT"), DType::kPred);
  });
  const int64_t loop =
      text().Add("while", TupleShape(state), {Tuple(state)}, Calls({run, goes_on}));
  const Arrays results = Elements(loop, state);
  return {results.begin() + 1, results.end()};
}

inline std::string Program::Serialized(const Arrays& results) {
  return Serialized(results, [](const HloText& text) { return text; });
}

inline std::string Program::Serialized(const Arrays& results,
                                       const std::function<HloText(const HloText&)>& relist) {
  const HloText before = computations_[0];
  Tuple(results);
  std::vector<HloText> listed{Binary(kSum, "add"), Binary(kMaximum, "maximum"),
                              Binary(kPower, "power")};
  for (auto it = computations_.rbegin(); it != computations_.rend(); ++it) {
    listed.push_back(relist(*it));
  }
  computations_[0] = before;
  return Serialize(listed, kEntry);
}

}  // namespace cfp::testing
