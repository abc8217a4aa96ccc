// Forward, backward and recomputed contractions, told by structure.
#include "contractions.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// [B9] Each gradient shares an operand of its forward contraction with roles exchanged, and reads
// the cotangent; a contraction that has one is forward.
TEST(AnMlpAndItsHandWrittenBackward) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Step step(p, {m.loss, m.dfirst, m.dsecond});
  EXPECT_EQ(step.Phase(m.hidden), "forward");
  EXPECT_EQ(step.Phase(m.y), "forward");
  EXPECT_EQ(step.Phase(m.dsecond), step.GradientOf(m.y, 1));
  EXPECT_EQ(step.Phase(m.dactive), step.GradientOf(m.y, 0));
  EXPECT_EQ(step.Phase(m.dfirst), step.GradientOf(m.hidden, 1));
  EXPECT_EQ(step.analysis().contractions.list[step.Contraction(m.y)].gradients, 3);
  EXPECT_EQ(step.analysis().contractions.list[step.Contraction(m.hidden)].gradients, 2);
  EXPECT_EQ(step.Phase(m.loss), "no contraction");
}

// [B9] Gradients may see the shared array transposed and in another type, and their own result
// transposed: dW = (dyᵀ · x)ᵀ.
TEST(GradientsAreSeenThroughViews) {
  Program p;
  Mlp m;
  m.x = p.Input({kBatch, kWidth}), m.first = p.Input({kWidth, 128});
  m.hidden = p.MatMul(p.MatMul(m.x, p.Input({kWidth, kWidth})), m.first);
  m.dy = p.Convert(p.Transpose(p.Apply("tanh", {m.hidden}), {1, 0}), DType::kBF16);
  const Array turned = p.Convert(p.Transpose(m.first, {1, 0}), DType::kBF16);
  const Array dx = p.Dot(m.dy, turned, {{0}, {0}});
  const Array trained = p.MatMul(m.x, p.Input({kWidth, 8}));
  const Step step(p, {dx, p.WeightGradient(m.x, p.Apply("tanh", {trained}))});
  EXPECT_EQ(step.Phase(dx), step.GradientOf(m.hidden, 0));
}

// [B9] All six contractions of attention's backward: batch dimensions stay batch dimensions.
TEST(BatchedContractionsHaveGradients) {
  Program p;
  const Array q = p.MatMul(p.Input({8, 4, 32, 16}), p.Input({16, 16}));
  const Array k = p.MatMul(p.Input({8, 4, 32, 16}), p.Input({16, 16}));
  const Array scores = p.Dot(q, k, {{3}, {3}}, {{0, 1}, {0, 1}});
  const Array dscores = p.Apply("exponential", {scores});
  const Array dq = p.Dot(dscores, k, {{3}, {2}}, {{0, 1}, {0, 1}});
  const Array dk = p.Dot(dscores, q, {{2}, {2}}, {{0, 1}, {0, 1}});
  const Step step(p, {dq, dk});
  EXPECT_EQ(step.Phase(dq), step.GradientOf(scores, 0));
  EXPECT_EQ(step.Phase(dk), step.GradientOf(scores, 1));
}

// A second product with the same weight, whose roles are not exchanged, is no gradient.
TEST(TheSameRolesAreNoGradient) {
  Program p;
  const Array w = p.Input({64, 64});
  const Array once = p.MatMul(p.Input({8, 64}), w);
  const Array twice = p.MatMul(p.Apply("tanh", {once}), w);
  const Step step(p, {twice});
  EXPECT_EQ(step.Phase(twice), "forward");
}

// [B9] A weight used the other way round is a gradient only if what it meets depends on the first
// result and has its extents (the tied embedding of a language model is not).
TEST(ExchangedRolesAloneAreNoGradient) {
  Program p;
  const Array w = p.Input({64, 128});
  const Array y = p.MatMul(p.Input({8, 64}), w);
  const Array unrelated = p.InputGradient(p.Input({8, 128}), w);
  const Array wider = p.InputGradient(p.Broadcast(y, {2, 8, 128}, {1, 2}), w);
  const Step step(p, {y, unrelated, wider});
  EXPECT_EQ(step.Phase(unrelated), "forward");
  EXPECT_EQ(step.Phase(wider), "forward");
}

// [B9] One matrix in two branches that are multiplied: for either input's gradient both branches
// would do; the one whose other gradient reads the same cotangent is meant.
TEST(TheCotangentDecidesBetweenTwoBranches) {
  Program p;
  const Array w = p.Input({64, 64}), x = p.Input({8, 64}), z = p.Input({8, 64});
  const Array left = p.MatMul(x, w), right = p.MatMul(z, w);
  const Array product = p.Times(left, right);
  const Array dleft = p.Times(product, right), dright = p.Times(product, left);
  const Array dx = p.InputGradient(dleft, w), dz = p.InputGradient(dright, w);
  const Step step(p, {dx, dz, p.WeightGradient(x, dleft), p.WeightGradient(z, dright)});
  EXPECT_EQ(step.Phase(dx), step.GradientOf(left, 0));
  EXPECT_EQ(step.Phase(dz), step.GradientOf(right, 0));
}

// [B9] One matrix in two layers, one after the other.
TEST(TiedLayersAreToldApart) {
  Program p;
  const Array w = p.Input({64, 64}), x = p.Input({8, 64});
  const Array first = p.MatMul(x, w);
  const Array active = p.Apply("tanh", {first});
  const Array second = p.MatMul(active, w);
  const Array dsecond = p.Apply("sine", {second});
  const Array dactive = p.InputGradient(dsecond, w);
  const Array dfirst = p.Times(dactive, active);
  const Array dx = p.InputGradient(dfirst, w), dw = p.WeightGradient(x, dfirst);
  const Step step(p, {dx, dw, p.WeightGradient(active, dsecond)});
  EXPECT_EQ(step.Phase(dw), step.GradientOf(first, 1));
  EXPECT_EQ(step.Phase(dx), step.GradientOf(first, 0));
  EXPECT_EQ(step.Phase(dactive), step.GradientOf(second, 0));
}

// [B9] An autoencoder that decodes with the matrix it encoded with: decoding looks like the
// gradient of encoding, but has a gradient itself, so it is forward.
TEST(WhatHasAGradientIsForward) {
  Program p;
  const Array x = p.Input({8, 64}), w = p.Input({64, 48});
  const Array code = p.MatMul(x, w);
  const Array active = p.Apply("tanh", {code});
  const Array decoded = p.InputGradient(active, w);
  const Array cotangent = p.Apply("sine", {decoded});
  const Array dactive = p.MatMul(cotangent, w);
  const Array dw = p.WeightGradient(x, p.Times(dactive, active));
  const Step step(p, {dw, p.WeightGradient(cotangent, active)});
  EXPECT_EQ(step.Phase(decoded), "forward");
  EXPECT_EQ(step.Phase(dactive), step.GradientOf(decoded, 0));
  EXPECT_EQ(step.Phase(dw), step.GradientOf(code, 1));
}

// [B9] f(q·kᵀ)·k looks like the gradient of the scores for q, but nothing here is a weight's
// gradient: there is no backward pass.
TEST(InferenceHasNoGradients) {
  Program p;
  const Array x = p.Input({8, 32, 64});
  const Array q = p.MatMul(x, p.Input({64, 16})), k = p.MatMul(x, p.Input({64, 16}));
  const Array scores = p.Apply("tanh", {p.Dot(q, k, {{2}, {2}}, {{0}, {0}})});
  const Array mixed = p.Dot(scores, k, {{2}, {1}}, {{0}, {0}});
  const Step step(p, {mixed});
  EXPECT_EQ(step.Phase(mixed), "forward");
}

// [B9] Queries and keys of an input that is not trained: both would do for either weight's
// gradient, and neither has another half. The gradient of the scores that the cotangent comes from
// tells.
TEST(TheGradientUpstreamDecidesBetweenTwoProjections) {
  Program p;
  const Array x = p.Input({8, 32, 64});
  const Array q = p.MatMul(x, p.Input({64, 64})), k = p.MatMul(x, p.Input({64, 64}));
  const Array q_heads = WriteHeads(p, q, 4), k_heads = WriteHeads(p, k, 4);
  const Array scores = p.Dot(q_heads, k_heads, {{3}, {3}}, {{0, 2}, {0, 2}});
  const Array dscores = p.Apply("exponential", {scores});
  const auto joined = [&](const Array& heads) {
    return p.Reshape(p.Transpose(heads, {0, 2, 1, 3}), {8, 32, 64});
  };
  const Array dq = p.Dot(dscores, k_heads, {{3}, {1}}, {{0, 1}, {0, 2}});
  const Array dk = p.Dot(dscores, q_heads, {{2}, {1}}, {{0, 1}, {0, 2}});
  const Array dwq = p.WeightGradient(x, joined(dq)), dwk = p.WeightGradient(x, joined(dk));
  const Step step(p, {dwq, dwk});
  EXPECT_EQ(step.Phase(dwq), step.GradientOf(q, 1));
  EXPECT_EQ(step.Phase(dwk), step.GradientOf(k, 1));
}

// [B9] What is computed again for the backward pass is a recomputation, and its gradients are those
// of the first computation.
TEST(RematIsRecomputation) {
  Program p;
  Mlp m;
  m.x = p.Input({kBatch, kWidth}), m.first = p.Input({kWidth, 128}), m.second = p.Input({128, 16});
  WriteForward(p, &m);
  m.dy = p.Times(m.y, m.y);
  const Array again = p.MatMul(p.Barrier(m.x), m.first);
  m.active = p.Apply("tanh", {again});
  WriteBackward(p, &m);
  const Step step(p, {m.dfirst, m.dsecond});
  EXPECT_EQ(step.Phase(again), "recomputed %" + std::to_string(step.Op(m.hidden)));
  EXPECT_EQ(step.Phase(m.dsecond), step.GradientOf(m.y, 1));
  EXPECT_EQ(step.Phase(m.dfirst), step.GradientOf(m.hidden, 1));
}

// [B9] A gradient computed twice is one gradient, not a recomputed forward contraction.
TEST(AGradientComputedAgainIsAGradient) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Array again = p.WeightGradient(p.Barrier(m.active), m.dy);
  const Step step(p, {m.dfirst, m.dsecond, again});
  EXPECT_EQ(step.Phase(again), step.GradientOf(m.y, 1));
}

// [B9] A contraction that follows a gradient and is none (the product of a gradient penalty) is
// kept, and reported.
TEST(WhatFollowsAGradientAndIsNoneIsReported) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Array penalty = p.MatMul(m.dfirst, p.Input({128, 8}));
  const Step step(p, {m.dsecond, penalty});
  EXPECT_EQ(step.Phase(penalty), "forward, unmatched");
  EXPECT_EQ(step.Join(penalty), "[B5]");
  EXPECT_EQ(step.analysis().warnings,
            (std::vector<std::string>{"%" + std::to_string(step.Op(penalty)) +
                                      " follows a gradient but is no gradient of a forward "
                                      "contraction: taken as a root of its own"}));
}

// [B9] A lookup in a parameter is a contraction over its rows; the scatter that adds by the same
// indices is its gradient.
TEST(AddingByTheIndicesOfALookupIsItsGradient) {
  Program p;
  const Array table = p.Input({1000, 64}), tokens = p.Input({8, 32}, DType::kS32);
  const Array others = p.Input({8, 32}, DType::kS32);
  const Array rows = p.Lookup(table, tokens);
  const Array cotangent = p.Apply("tanh", {rows});
  const Array gradient = p.AddRows(p.Filled(0, {1000, 64}), tokens, cotangent);
  const Array elsewhere = p.AddRows(p.Filled(0, {1000, 64}), others, cotangent);
  const Step step(p, {gradient, elsewhere});
  EXPECT_EQ(step.Phase(rows), "forward");
  EXPECT_EQ(step.Phase(gradient), step.GradientOf(rows, 0));
  EXPECT_EQ(step.Phase(elsewhere), "no contraction");
}

// Rows of an activation are moved about, not looked up.
TEST(ALookupInAnActivationIsNoContraction) {
  Program p;
  const Array h = p.MatMul(p.Input({1000, 64}), p.Input({64, 64}));
  const Array rows = p.Lookup(h, p.Input({8, 32}, DType::kS32));
  const Step step(p, {rows});
  EXPECT_EQ(step.Phase(rows), "no contraction");
}

// A scan over twelve layers, and the scan of its gradients over the stacked residuals.
struct Scan {
  Program p;
  Array dot, drow, dinput;
  Arrays results;
  Scan() {
    const Array x = p.Input({8, 64}), weights = p.Input({12, 64, 64});
    const Array stack = p.Filled(0, {12, 8, 64});
    const Arrays forward =
        p.Loop(12, {x, weights, stack}, [&](const Array& trip, const Arrays& carry) {
          const Array w = p.Reshape(p.Row(carry[1], trip), {64, 64});
          dot = p.MatMul(carry[0], w);
          const Array saved = p.WithRow(carry[2], p.Reshape(carry[0], {1, 8, 64}), trip);
          return Arrays{p.Apply("tanh", {dot}), carry[1], saved};
        });
    const Arrays initial{forward[0], weights, forward[2], p.Filled(0, {12, 64, 64})};
    results = p.Loop(12, initial, [&](const Array& trip, const Arrays& carry) {
      const Array layer = p.Apply("subtract", {p.Integer(11), trip});
      const Array w = p.Reshape(p.Row(carry[1], layer), {64, 64});
      const Array input = p.Reshape(p.Row(carry[2], layer), {8, 64});
      const Array dy = p.Times(carry[0], carry[0]);
      drow = p.WeightGradient(input, dy);
      dinput = p.InputGradient(dy, w);
      const Array stacked = p.WithRow(carry[3], p.Reshape(drow, {1, 64, 64}), layer);
      return Arrays{dinput, carry[1], carry[2], stacked};
    });
  }
};

// [B9] Gradients are found through the residuals that one loop stacks for the other; FLOPs count
// once per trip.
TEST(AScanAndItsBackwardScan) {
  Scan scan;
  const Step step(scan.p, scan.results);
  EXPECT_EQ(step.Phase(scan.drow), step.GradientOf(scan.dot, 1));
  EXPECT_EQ(step.Phase(scan.dinput), step.GradientOf(scan.dot, 0));
  EXPECT_EQ(step.analysis().contractions.list[0].flops, 12 * 2.0 * 8 * 64 * 64);
  EXPECT_EQ(step.BlockCount(), 1u);
}

std::string RolesText(const std::vector<Role>& roles) {
  std::string text;
  for (const Role role : roles) text += "1bfcs"[static_cast<int>(role)];
  return text;
}

// Batch, free and contracted dimensions by operand; dimensions of size 1 have no role.
TEST(RolesOfDimensions) {
  Program p;
  const Array dot = p.Dot(p.Input({8, 1, 32, 16}), p.Input({8, 16, 64}), {{3}, {1}}, {{0}, {0}});
  const Step step(p, {dot});
  Rule rule;
  FillPartitionRule(step.graph(), step.Op(dot), &rule);
  EXPECT_EQ(RolesText(OperandRoles(step.graph(), step.Op(dot), rule, 0)), "b1fc");
  EXPECT_EQ(RolesText(OperandRoles(step.graph(), step.Op(dot), rule, 1)), "bcf");
}

}  // namespace
}  // namespace cfp
