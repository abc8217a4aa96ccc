// Which argument's dimension a value's dimension comes from.
#include "dim_origins.h"

#include "layout_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// "0.1 2.0 -": per dimension the argument and its dimension, or that it comes from none.
std::string Origins(const Step& step, const Array& a) {
  const DimOrigins origins(step.analysis());
  std::string text;
  for (size_t d = 0; d < a.dims.size(); ++d) {
    const DimOrigin origin = origins.of(step.Op(a), static_cast<int>(d));
    text += d == 0 ? "" : " ";
    text += origin.parameter < 0
                ? "-"
                : std::to_string(origin.parameter) + "." + std::to_string(origin.dim);
  }
  return text;
}

// The batch and the sequence are the tokens', the width the table's, the columns the weight's.
TEST(ADimensionComesFromAnArgument) {
  Program p;
  const Array table = p.Input({1000, 64}), tokens = p.Input({8, 32}, DType::kS32);
  const Array w = p.Input({64, 128});
  const Array rows = p.Lookup(table, tokens), y = p.MatMul(rows, w);
  const Step step(p, {y});
  EXPECT_EQ(Origins(step, tokens), "1.0 1.1");
  EXPECT_EQ(Origins(step, rows), "1.0 1.1 0.1");
  EXPECT_EQ(Origins(step, y), "1.0 1.1 2.1");
}

// A dimension that is cut into several comes where its major part goes; what joins several comes
// from the major one.
TEST(ReshapesFollowTheMajorPart) {
  Program p;
  const Array x = p.Input({8, 64}), heads = p.Reshape(x, {8, 4, 16});
  const Array turned = p.Transpose(heads, {1, 0, 2}), rows = p.Reshape(turned, {32, 16});
  const Step step(p, {rows});
  EXPECT_EQ(Origins(step, heads), "0.0 0.1 0.1");
  EXPECT_EQ(Origins(step, turned), "0.1 0.0 0.1");
  EXPECT_EQ(Origins(step, rows), "0.1 0.1");
}

// Nor does a minor part speak for a major one that comes from nothing.
TEST(AMinorPartDoesNotSpeak) {
  Program p;
  const Array bias = p.Input({64});
  const Array row = p.Reshape(p.Broadcast(bias, {4, 64}, {1}), {256});
  const Step step(p, {row});
  EXPECT_EQ(Origins(step, row), "-");
}

// Constants and what is broadcast come from nothing.
TEST(WhatComesFromNothing) {
  Program p;
  const Array bias = p.Input({64});
  const Array spread = p.Broadcast(bias, {8, 64}, {1}), filled = p.Filled(1, {8, 64});
  const Step step(p, {spread, filled});
  EXPECT_EQ(Origins(step, spread), "- 0.0");
  EXPECT_EQ(Origins(step, filled), "- -");
}

// Data speaks before what an optimizer updates, in whatever order they meet; of equals the first
// operand.
TEST(DataSpeaksBeforeWeights) {
  Program p;
  Mlp m = WriteMlp(p);  // arguments 0 to 2: x, first, second
  const Array other = p.Input(m.second.dims), more = p.Input(m.second.dims);
  const Array mixed = p.Plus(m.second, other), reversed = p.Plus(other, m.second);
  const Array data = p.Plus(more, other);
  const Array updated = p.Apply("subtract", {m.second, m.dsecond});
  const Step step(p,
                  {m.loss, updated, p.Sum(mixed, {0}), p.Sum(reversed, {1}), p.Sum(data, {0, 1})});
  EXPECT_EQ(step.Owner(updated), "optimizer 2 [B10.10]");
  EXPECT_EQ(Origins(step, mixed), "3.0 3.1");
  EXPECT_EQ(Origins(step, reversed), "3.0 3.1");
  EXPECT_EQ(Origins(step, data), "4.0 4.1");
}

// The state of a loop comes from where it came in.
TEST(ALoopStateComesFromWhereItCameIn) {
  Program p;
  const Array h = p.Input({8, 64}), w = p.Input({64, 64});
  Array y;
  const Array last = p.Loop(4, {h, w}, [&](const Array&, const Arrays& carry) {
    y = p.MatMul(carry[0], carry[1]);
    return Arrays{p.Apply("tanh", {y}), carry[1]};
  })[0];
  const Array after = p.Apply("negate", {last});
  const Step step(p, {after});
  EXPECT_EQ(Origins(step, y), "0.0 1.1");
  EXPECT_EQ(Origins(step, after), "0.0 1.1");
}

// Of an op with several results the dimensions are those of the widest one; another one, here the
// mean of each feature, has its own.
TEST(AnOpWithSeveralResults) {
  Program p;
  const Array x = p.Input({8, 16}), scale = p.Input({16}), offset = p.Input({16});
  const Arrays results = p.AddAll("batch-norm-training", {x, scale, offset}, {x, scale, scale});
  const Array mean = p.Apply("tanh", {results[1]}), normal = p.Apply("tanh", {results[0]});
  const Step step(p, {mean, normal});
  EXPECT_EQ(Origins(step, mean), "-");
  EXPECT_EQ(Origins(step, normal), "0.0 0.1");
}

}  // namespace
}  // namespace cfp
