// What gradients work on when their forward contraction works on a factor.
#include "gradient_work.h"

#include <algorithm>

#include "layout_testing.h"
#include "model_testing.h"
#include "rule_text.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

class Mirror {
 public:
  Mirror(const Step& step, const Array& forward, const Array& gradient)
      : step_(step), gradient_(step.Contraction(gradient)) {
    FillPartitionRule(step.graph(), step.Op(forward), &from_);
    FillPartitionRule(step.graph(), step.Op(gradient), &to_);
  }

  // Each factor of the forward contraction, one a line, and what the gradient makes of it.
  std::string Text() const {
    std::string text;
    for (size_t f = 0; f < from_.factors.size(); ++f) {
      const Work work = Of({static_cast<int>(f), 1});
      text += FactorText(from_, f) + " -> " +
              (work.factor < 0 ? "nothing" : FactorText(to_, work.factor)) + "\n";
    }
    return text;
  }
  Work Of(const Work& forward) const { return GradientWork(step_.analysis(), gradient_, forward); }
  const Rule& from() const { return from_; }
  const Rule& to() const { return to_; }

 private:
  const Step& step_;
  int gradient_;
  Rule from_, to_;
};

// [L3] Rows are summed over in the gradient of the weight, columns in that of the input, and what
// the forward contraction sums over is free in both.
TEST(GradientsOfAMatrix) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Step step(p, {m.loss, m.dfirst, m.dsecond});
  EXPECT_EQ(Mirror(step, m.y, m.dsecond).Text(),
            "8 pass 0.0 r.0 -> 8 reduced 0.0 1.0\n"
            "16 pass 1.1 r.1 -> 16 pass 1.1 r.1\n"
            "128 reduced 0.1 1.0 -> 128 pass 0.1 r.0\n");
  EXPECT_EQ(Mirror(step, m.y, m.dactive).Text(),
            "8 pass 0.0 r.0 -> 8 pass 0.0 r.0\n"
            "16 pass 1.1 r.1 -> 16 reduced 0.1 1.1\n"
            "128 reduced 0.1 1.0 -> 128 pass 1.0 r.1\n");
}

// A product of two cubes, every extent 8, whose operands list their dimensions in any order, with
// the gradients of both. Nothing but structure tells what is what.
struct Cubes {
  // Where batch, rows and inner are on the left; batch, inner and columns on the right.
  Integers left_order, right_order;
  Program p;
  Array product, dleft, dright;

  // With `turned` the gradients read the cotangent second.
  Cubes(const Integers& left, const Integers& right, bool turned)
      : left_order(left), right_order(right) {
    const Array a = Activation(), b = Activation();
    product = p.Dot(a, b, {{left[2]}, {right[1]}}, {{left[0]}, {right[0]}});
    const Array cotangent = p.Apply("tanh", {product});  // batch, rows, columns
    dleft = Gradient(cotangent, 2, b, right[2], right[0], turned);
    dright = Gradient(cotangent, 1, a, left[1], left[0], turned);
  }

  Array Activation() { return p.Apply("tanh", {p.MatMul(p.Input({8, 8, 8}), p.Input({8, 8}))}); }
  Array Gradient(const Array& cotangent, int64_t summed, const Array& kept, int64_t kept_summed,
                 int64_t kept_batch, bool turned) {
    return turned ? p.Dot(kept, cotangent, {{kept_summed}, {summed}}, {{kept_batch}, {0}})
                  : p.Dot(cotangent, kept, {{summed}, {kept_summed}}, {{0}, {kept_batch}});
  }
};

// What is wrong with the mirror of one factor; "" where the cotangent is cut as the forward result
// is, the kept operand as before, and the gradient as the operand that it is the gradient of.
std::string WrongMirror(const Mirror& mirror, size_t f, int gradient_of, bool turned,
                        const Integers& order) {
  const Work work = mirror.Of({static_cast<int>(f), 1});
  if (work.factor < 0) return "nothing";
  const int kept = 1 - gradient_of, cotangent = turned ? 1 : 0;
  const Rule &from = mirror.from(), &to = mirror.to();
  if (to.operand_site(work.factor, cotangent).dim != from.result_site(f).dim) return "cotangent";
  if (to.operand_site(work.factor, 1 - cotangent).dim != from.operand_site(f, kept).dim)
    return "kept operand";
  const int dim = to.result_site(work.factor).dim;
  const int in_operand = dim < 0 ? -1 : static_cast<int>(order[dim]);
  return in_operand == from.operand_site(f, gradient_of).dim ? "" : "gradient";
}

// [L3] Whatever the order of dimensions and operands, a gradient reads its cotangent cut as the
// forward result lies, and is cut as the operand it is the gradient of.
TEST(GradientsMirrorInAnyOrder) {
  Integers left{0, 1, 2};
  do {
    Integers right{0, 1, 2};
    do {
      for (const bool turned : {false, true}) {
        Cubes c(left, right, turned);
        const Step step(c.p, {c.dleft, c.dright});
        const Integers dleft = turned ? Integers{left[0], left[2], left[1]} : left;
        const Integers dright = turned ? right : Integers{right[0], right[2], right[1]};
        const Mirror to_left(step, c.product, c.dleft), to_right(step, c.product, c.dright);
        EXPECT_EQ(to_left.from().factors.size(), 4);
        for (size_t f = 0; f < 4; ++f) {
          EXPECT_EQ(WrongMirror(to_left, f, 0, turned, dleft), "");
          EXPECT_EQ(WrongMirror(to_right, f, 1, turned, dright), "");
        }
      }
    } while (std::next_permutation(right.begin(), right.end()));
  } while (std::next_permutation(left.begin(), left.end()));
}

// [L3] Several free dimensions, equal in size: the cotangent has those of the operand that is not
// kept in the order of the result.
TEST(EqualFreeDimensionsKeepTheirOrder) {
  Program p;
  const Array h = Stem(p);  // [8, 32, 64]
  const Array weight = p.Input({64, 4, 4, 4});
  const Array y = p.Dot(h, weight, {{2}, {0}});
  const Array cotangent = p.Apply("tanh", {y});
  const Array dweight = p.Dot(cotangent, h, {{0, 1}, {0, 1}});        // 4, 4, 4, 64
  const Array dh = p.Dot(weight, cotangent, {{1, 2, 3}, {2, 3, 4}});  // 64, 8, 32
  const Step step(p, {p.Transpose(dweight, {3, 0, 1, 2}), dh});
  EXPECT_EQ(Mirror(step, y, dweight).Text(),
            "8 pass 0.0 r.0 -> 8 reduced 0.0 1.0\n"
            "32 pass 0.1 r.1 -> 32 reduced 0.1 1.1\n"
            "4 pass 1.1 r.2 -> 4 pass 0.2 r.0\n"
            "4 pass 1.2 r.3 -> 4 pass 0.3 r.1\n"
            "4 pass 1.3 r.4 -> 4 pass 0.4 r.2\n"
            "64 reduced 0.2 1.0 -> 64 pass 1.2 r.3\n");
  EXPECT_EQ(Mirror(step, y, dh).Text(),
            "8 pass 0.0 r.0 -> 8 pass 1.0 r.1\n"
            "32 pass 0.1 r.1 -> 32 pass 1.1 r.2\n"
            "4 pass 1.1 r.2 -> 4 reduced 0.1 1.2\n"
            "4 pass 1.2 r.3 -> 4 reduced 0.2 1.3\n"
            "4 pass 1.3 r.4 -> 4 reduced 0.3 1.4\n"
            "64 reduced 0.2 1.0 -> 64 pass 0.0 r.0\n");
}

// [L3] The kept operand is found behind a transpose, a convert and a dimension of size 1.
TEST(TheKeptOperandIsSeenThroughViews) {
  Program p;
  const Array h = p.Apply("tanh", {p.MatMul(p.Input({64, 64}), p.Input({64, 64}))});
  const Array weight = p.Input({64, 64});
  const Array y = p.MatMul(h, p.Convert(weight, DType::kF32));
  const Array cotangent = p.Apply("tanh", {y});
  const Array turned = p.Reshape(p.Transpose(weight, {1, 0}), {64, 1, 64});
  const Array dh = p.Dot(cotangent, turned, {{1}, {0}});
  const Array dweight = p.Dot(p.Transpose(h, {1, 0}), cotangent, {{1}, {0}});
  const Step step(p, {dh, dweight});
  EXPECT_EQ(Mirror(step, y, dh).Text(),
            "64 pass 0.0 r.0 -> 64 pass 0.0 r.0\n"
            "64 pass 1.1 r.1 -> 64 reduced 0.1 1.0\n"
            "64 reduced 0.1 1.0 -> 64 pass 1.2 r.2\n");
  EXPECT_EQ(Mirror(step, y, dweight).Text(),
            "64 pass 0.0 r.0 -> 64 reduced 0.1 1.0\n"
            "64 pass 1.1 r.1 -> 64 pass 1.1 r.1\n"
            "64 reduced 0.1 1.0 -> 64 pass 0.0 r.0\n");
}

// [L3] Of arrays of more dimensions than views are seen through nothing is mirrored beyond those.
TEST(ManyDimensions) {
  Program p;
  Integers dims(Peeled::kMaxRank + 1, 2);
  const Array h = p.Apply("tanh", {p.MatMul(p.Input(dims), p.Input({2, 2}))});
  const Array y = p.MatMul(h, p.Input({2, 4}));
  const Array dweight = p.WeightGradient(h, p.Apply("tanh", {y}));
  const Step step(p, {dweight});
  EXPECT_EQ(step.Phase(dweight), step.GradientOf(y, 1));
  const Mirror mirror(step, y, dweight);
  EXPECT_EQ(FactorText(mirror.to(), mirror.Of({0, 1}).factor), "2 reduced 0.0 1.0");
  const int summed_over = Peeled::kMaxRank + 1;  // the last factor, after those of the result
  EXPECT_EQ(FactorText(mirror.from(), summed_over), "2 reduced 0.12 1.0");
  EXPECT_EQ(mirror.Of({summed_over, 1}).factor, -1);
}

// [L3] A projection cut inside each of its three parts is mirrored inside them.
TEST(PartsAreMirroredInsideThem) {
  Program p;
  const Array h = Stem(p), weight = p.Input({64, 192});
  const Array y = p.MatMul(h, weight), cotangent = p.Apply("tanh", {y});
  const Array dweight = p.WeightGradient(h, cotangent), dh = p.InputGradient(cotangent, weight);
  const Step step(p, {dweight, dh});
  const int columns = 2;  // the factors are 8, 32, 192 and what is summed over
  for (const Array& gradient : {dweight, dh}) {
    const Mirror mirror(step, y, gradient);
    const Work work = mirror.Of({columns, 3});
    EXPECT_EQ(mirror.to().factors[work.factor].size, 192);
    EXPECT_EQ(work.within, 3);
    EXPECT_EQ(mirror.Of({-1, 1}).factor, -1);
  }
}

// [L3] Rows looked up: the gradient adds to the rows of the same table; tokens are summed over, the
// width stays, and whoever holds a part of the vocabulary adds to that part.
TEST(TheGradientOfALookup) {
  Program p;
  const Array table = p.Input({1000, 64}), tokens = p.Input({8, 32}, DType::kS32);
  const Array rows = p.Lookup(table, tokens);
  const Array gradient = p.AddRows(p.Filled(0, {1000, 64}), tokens, p.Apply("tanh", {rows}));
  const Step step(p, {gradient});
  EXPECT_EQ(Mirror(step, rows, gradient).Text(),
            "8 pass 1.0 r.0 -> 8 reduced 1.0 2.0\n"
            "32 pass 1.1 r.1 -> 32 reduced 1.1 2.1\n"
            "1000 reduced 0.0 -> 1000 pass 0.0 r.0\n"
            "64 pass 0.1 r.2 -> 64 pass 0.1 2.2 r.1\n");
}

// Dimension numbers of a convolution along one dimension: where batch, length and features are on
// the input, length, input and output features on the kernel, and as the input on the result.
std::string Numbers(const Integers& input, const Integers& kernel, const Integers& output) {
  using F = ConvolutionField;
  return IntegerField(F::kInputBatch, input[0]) + PackedField(F::kInputSpatial, {input[1]}) +
         IntegerField(F::kInputFeature, input[2]) + PackedField(F::kKernelSpatial, {kernel[0]}) +
         IntegerField(F::kKernelInput, kernel[1]) + IntegerField(F::kKernelOutput, kernel[2]) +
         IntegerField(F::kOutputBatch, output[0]) + PackedField(F::kOutputSpatial, {output[1]}) +
         IntegerField(F::kOutputFeature, output[2]);
}

// A window of `size` with one element of padding on both sides.
std::string Window(int64_t size) {
  return BytesField(1, IntegerField(1, size) + IntegerField(2, 1) + IntegerField(3, 1) +
                           IntegerField(4, 1) + IntegerField(5, 1) + IntegerField(6, 1));
}

// [L3] A convolution and its gradients, which are convolutions too: features as the dimensions of a
// matrix, the batch summed over for the kernel. The length is a halo again for the input; for the
// kernel it is a window as wide as the array, which needs all of it.
TEST(GradientsOfAConvolution) {
  Program p;
  const auto convolve = [&](const Array& x, const Array& kernel, const Integers& dims,
                            const std::string& numbers, int64_t size) {
    return p.Add("convolution", {x, kernel}, dims,
                 BytesField(InstructionField::kConvolution, numbers) +
                     BytesField(InstructionField::kWindow, Window(size)));
  };
  const Array h = Stem(p), kernel = p.Input({3, 64, 128});
  const Array y = convolve(h, kernel, {8, 32, 128}, Numbers({0, 1, 2}, {0, 1, 2}, {0, 1, 2}), 3);
  const Array cotangent = p.Apply("tanh", {y});
  const Array dkernel =
      convolve(h, cotangent, {3, 64, 128}, Numbers({2, 1, 0}, {1, 0, 2}, {1, 0, 2}), 32);
  const Array dh = convolve(cotangent, p.Reverse(kernel, {0}), {8, 32, 64},
                            Numbers({0, 1, 2}, {0, 2, 1}, {0, 1, 2}), 3);
  const Step step(p, {dkernel, dh});
  EXPECT_EQ(Mirror(step, y, dkernel).Text(),
            "8 pass 0.0 r.0 -> 8 reduced 0.0 1.0\n"
            "128 pass 1.2 r.2 -> 128 pass 1.2 r.2\n"
            "64 reduced 0.2 1.1 -> 64 pass 0.2 r.1\n"
            "32 halo 0.1 r.1 -> nothing\n"
            "3 replicate 1.0 -> nothing\n");
  EXPECT_EQ(Mirror(step, y, dh).Text(),
            "8 pass 0.0 r.0 -> 8 pass 0.0 r.0\n"
            "128 pass 1.2 r.2 -> 128 reduced 0.2 1.2\n"
            "64 reduced 0.2 1.1 -> 64 pass 1.1 r.2\n"
            "32 halo 0.1 r.1 -> 32 halo 0.1 r.1\n"
            "3 replicate 1.0 -> nothing\n");
}

}  // namespace
}  // namespace cfp
