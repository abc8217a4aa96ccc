// Which blocks are alike, which runs of blocks are alike, and the cover.
#include "segments.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

Array Layer(Program& p, const Array& h, std::string_view activation) {
  return p.Apply(activation, {p.MatMul(h, p.Input({64, 64}))});
}

// The segments of a chain of layers, one per letter: equal letters are equal layers.
std::string ChainSegments(std::string_view letters) {
  Program p;
  Array h = Stem(p);
  for (const char letter : letters) {
    h = Layer(p, h, letter == 'a' ? "tanh" : letter == 'b' ? "sine" : "exponential");
  }
  return Step(p, {h}).Segments();
}

// [S1] Layers that compute the same on the same shapes are alike; another op, another shape or the
// other order of operands is not.
TEST(AlikeMeansTheSameComputation) {
  Program p;
  const Array h = Stem(p);
  const Array a = Layer(p, h, "tanh"), b = Layer(p, a, "tanh"), c = Layer(p, b, "sine");
  const Array wide = p.Apply("tanh", {p.MatMul(c, p.Input({64, 128}))});
  const Array y = p.MatMul(wide, p.Input({128, 64})), z = p.MatMul(wide, p.Input({128, 64}));
  const Array less = p.Apply("subtract", {y, p.Filled(1, y.dims)});
  const Array from = p.Apply("subtract", {p.Filled(1, z.dims), z});
  const Step step(p, {less, from});
  EXPECT_TRUE(step.Alike(a, b));
  EXPECT_TRUE(!step.Alike(b, c));
  EXPECT_TRUE(!step.Alike(c, wide));
  EXPECT_TRUE(!step.Alike(less, from));
}

// [S1] Inner wiring counts: tanh of the product times the product is not its square.
TEST(InnerWiringCounts) {
  Program p;
  const Array h = Stem(p);
  const Array y = p.MatMul(h, p.Input({64, 64})), z = p.MatMul(h, p.Input({64, 48}));
  const Array a = p.MatMul(h, p.Input({64, 64}));
  const Array ty = p.Apply("tanh", {y}), ta = p.Apply("tanh", {a});
  const Step step(p, {p.Times(ty, y), p.Times(ta, ta), z});
  EXPECT_TRUE(!step.Alike(y, a));
}

// [S1] The pattern of outer references counts: adding the layer's own input twice is not adding two
// inputs.
TEST(OuterReferencesCount) {
  Program p;
  const Array s = Stem(p), t = Stem(p);
  const Array one = p.Plus(p.Plus(p.MatMul(s, p.Input({64, 64})), s), s);
  const Array two = p.Plus(p.Plus(p.MatMul(s, p.Input({64, 64})), s), t);
  const Array again = p.Plus(p.Plus(p.MatMul(t, p.Input({64, 64})), t), t);
  const Step step(p, {p.Apply("tanh", {one}), p.Apply("sine", {two}), p.Apply("cosine", {again})});
  const Step plain(p, {one, again, two});
  EXPECT_TRUE(plain.Alike(one, again));
  EXPECT_TRUE(!plain.Alike(one, two));
}

// [S1] Gradients count: a frozen weight makes another block.
TEST(GradientsCount) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 64}), frozen = p.Input({64, 64});
  const Array a = p.MatMul(h, w), b = p.MatMul(h, frozen);
  const Array dw = p.WeightGradient(h, p.Apply("tanh", {a}));
  const Step step(p, {a, b, dw});
  EXPECT_TRUE(!step.Alike(a, b));
}

// [S1] It counts of which operand: a trained weight is not a trained input.
TEST(TheOperandOfAGradientCounts) {
  Program p;
  const Array h = Stem(p), t = Stem(p), w = p.Input({64, 64}), v = p.Input({64, 64});
  const Array a = p.MatMul(h, w), b = p.MatMul(t, v);
  const Array dw = p.WeightGradient(h, p.Apply("tanh", {a}));
  const Array dt = p.InputGradient(p.Apply("tanh", {b}), v);
  const Step step(p, {dw, dt});
  EXPECT_TRUE(!step.Alike(a, b));
}

// [S1] Only forward ops count: what a gradient alone reads depends on what follows the block.
TEST(DerivativesComputedAheadDoNotCount) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 64}), v = p.Input({64, 64});
  const Array a = p.MatMul(h, w), b = p.MatMul(a, v);
  const Array dv = p.WeightGradient(a, p.Apply("cosine", {b}));
  const Array da = p.InputGradient(p.Apply("cosine", {b}), v);
  const Array dw = p.WeightGradient(h, p.Times(da, p.Apply("sine", {a})));
  const Array dh = p.InputGradient(p.Times(da, p.Apply("sine", {a})), w);
  const Step step(p, {b, dv, dw, dh});
  EXPECT_TRUE(step.Alike(a, b));
}

// [S1] So do recomputations.
TEST(RecomputationsCount) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 64});
  const Array a = p.MatMul(h, w), b = p.MatMul(h, p.Input({64, 64}));
  const Array again = p.MatMul(p.Barrier(h), w);
  const Step step(p, {a, b, again});
  EXPECT_TRUE(!step.Alike(a, b));
}

// [S1] Constants count by value, what is made of integers from outside (a random key for each
// layer) by its shape.
TEST(RandomKeysCountByShape) {
  Program p;
  const Array h = Stem(p), key = p.Input({}, DType::kS32);
  const auto dropout = [&](int64_t layer) {
    const Array bits = p.Broadcast(p.Plus(key, p.Integer(layer)), h.dims, {});
    return p.Times(p.MatMul(h, p.Input({64, 64})), p.Convert(bits, DType::kF32));
  };
  const auto scaled = [&](float scale) {
    return p.Times(p.MatMul(h, p.Input({64, 64})), p.Filled(scale, h.dims));
  };
  const Array first = dropout(1), second = dropout(2), half = scaled(0.5F), third = scaled(0.3F);
  const Step step(p, {first, second, half, third});
  EXPECT_TRUE(step.Alike(first, second));
  EXPECT_TRUE(!step.Alike(half, third));
}

// Three pairs of layers in a row. The second layer of each adds what the first one read, or what
// the stem gave.
std::string PairSegments(bool add_the_input) {
  Program p;
  const Array stem = Stem(p);
  Array h = Layer(p, stem, "negate");
  for (int pair = 0; pair < 3; ++pair) {
    const Array a = Layer(p, h, "tanh");
    h = p.Plus(Layer(p, a, "sine"), add_the_input ? h : stem);
  }
  return Step(p, {h}).Segments();
}

// [S2] The pairs repeat where values flow alike between their blocks and from outside; block by
// block they are alike in both programs. A fourth, whose second layer adds something else, is not.
TEST(RunsAreAlikeIfValuesFlowAlike) {
  EXPECT_EQ(PairSegments(true), "2 x 1 at 0; 2 x 3 at 2 4 6");
  EXPECT_EQ(PairSegments(false), "2 x 1 at 0; 2 x 3 at 2 4 6");

  Program p;
  const Array stem = Stem(p);
  Array h = Layer(p, stem, "negate");
  Arrays seconds;
  for (const bool add_the_input : {true, true, false}) {
    const Array a = Layer(p, h, "tanh");
    h = p.Plus(Layer(p, a, "sine"), add_the_input ? h : stem);
    seconds.push_back(h);
  }
  const Step step(p, {h});
  EXPECT_TRUE(step.Alike(seconds[0], seconds[2]));
  EXPECT_EQ(step.Segments(), "2 x 1 at 0; 2 x 2 at 2 4; 2 x 1 at 6");
}

// [S2] What differs inside the pairs "first, second" may be the same for the pairs "second, first":
// every other second layer adds what its first one read, the others add the stem.
TEST(RunsMayBeginAnywhere) {
  Program p;
  const Array stem = Stem(p);
  Array h = Layer(p, stem, "negate");
  for (const bool add_the_input : {true, false, true}) {
    const Array a = Layer(p, h, "tanh");
    h = p.Plus(Layer(p, a, "sine"), add_the_input ? h : stem);
  }
  const Step step(p, {Layer(p, h, "tanh")});
  EXPECT_EQ(step.Segments(), "3 x 1 at 0; 2 x 3 at 3 5 7");
}

// [S3] Repeats are found between what stands before and after them.
TEST(EqualLayersAndADifferentHead) {
  EXPECT_EQ(ChainSegments("aab"), "1 x 1 at 0; 1 x 2 at 1 2; 1 x 1 at 3");
  EXPECT_EQ(ChainSegments("abc"), "4 x 1 at 0");
}

// [S3] The repeat that leaves the fewest distinct blocks is taken: three of one layer and the same
// again is a run of three, not twice two equal layers.
TEST(TheFewestDistinctBlocksWin) { EXPECT_EQ(ChainSegments("aabaab"), "1 x 1 at 0; 3 x 2 at 1 4"); }

// [S3] Ties go to the smaller period (bbb before abab), then to the earlier start (ab ab before ba
// ba).
TEST(TiesAreBroken) {
  EXPECT_EQ(ChainSegments("ababbb"), "4 x 1 at 0; 1 x 3 at 4 5 6");
  EXPECT_EQ(ChainSegments("ababa"), "1 x 1 at 0; 2 x 2 at 1 3; 1 x 1 at 5");
}

// [S3] What is left on both sides is covered in turn, and a run met again there is a repeat.
TEST(WhatIsLeftIsCoveredInTurn) {
  EXPECT_EQ(ChainSegments("ccababab"), "1 x 1 at 0; 1 x 2 at 1 2; 2 x 3 at 3 5 7");
  EXPECT_EQ(ChainSegments("aabbbbaa"), "1 x 1 at 0; 1 x 4 at 1 2 7 8; 1 x 4 at 3 4 5 6");
}

Array Loop(Program& p, int64_t trips, const Array& h) {
  return p.Loop(trips, {h, p.Input({64, 64})}, [&](const Array&, const Arrays& carry) {
    return Arrays{p.Apply("tanh", {p.MatMul(carry[0], carry[1])}), carry[1]};
  })[0];
}

// [S3] A loop's body counts once per trip; a layer met again after it is a repeat of those before.
TEST(ALoopIsASegmentOfItsOwn) {
  Program p;
  const Array before = Layer(p, Layer(p, Layer(p, Stem(p), "tanh"), "tanh"), "sine");
  const Step step(p, {Layer(p, Loop(p, 12, before), "tanh")});
  EXPECT_EQ(step.Segments(), "1 x 1 at 0; 1 x 3 at 1 2 5; 1 x 1 at 3; 1 x 1 at 4, 12 times");
}

// [S3] Loops whose bodies are alike are told apart by how often they run.
TEST(LoopsOfOtherTripCountsAreOtherSegments) {
  Program p;
  Array h = Loop(p, 12, Stem(p));
  h = Loop(p, 5, Loop(p, 5, h));
  const Step step(p, {p.Apply("sine", {Loop(p, 7, h)})});
  EXPECT_EQ(step.analysis().alike, (std::vector<int>{0, 1, 1, 1, 4}));
  EXPECT_EQ(step.Segments(),
            "1 x 1 at 0; 1 x 1 at 1, 12 times; 1 x 2 at 2 3, 5 times; 1 x 1 at 4, 7 times");
}

}  // namespace
}  // namespace cfp
