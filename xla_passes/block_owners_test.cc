// Who owns each op, and by which clause.
#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// [B10.1] What depends on inputs alone, a mask of positions and random bits, is nobody's, in
// whichever block it is read.
TEST(WhatDependsOnInputsAloneIsNobodys) {
  Program p;
  const Array h = Stem(p);
  const Array positions =
      p.Add("iota", {}, h.dims, PackedField(InstructionField::kDimensions, {1}));
  const Array mask = p.Apply("sign", {p.Apply("subtract", {positions, p.Input(h.dims)})});
  const Array masked = p.Times(h, mask);
  const Step step(p, {masked});
  EXPECT_EQ(step.Owner(positions), "nobody [B10.1]");
  EXPECT_EQ(step.Owner(mask), "nobody [B10.1]");
  EXPECT_EQ(step.Owner(masked), "block 0 [B10.2]");
}

// [B10.2] Forward ops follow the contraction that feeds them; a residual follows the later one.
TEST(ForwardOpsFollowTheirProducer) {
  Program p;
  const Array h = Stem(p);
  const Array active = p.Apply("tanh", {h});
  const Array y = p.MatMul(active, p.Input({64, 64}));
  const Array residual = p.Plus(active, y);
  const Step step(p, {residual});
  EXPECT_EQ(step.Owner(active), "block 0 [B10.2]");
  EXPECT_EQ(step.Owner(residual), "block 1 [B10.2]");
  EXPECT_EQ(step.Owner(y), "block 1 [B5]");
}

// [B10.3] The sum of squares, what scales by it, and the squares themselves belong to the block
// that reads the result.
TEST(ANormalisationBelongsToItsReader) {
  Program p;
  const Array h = Stem(p);
  const Array squares = p.Times(h, h);
  const Array scale = p.Apply("rsqrt", {p.Sum(squares, {2})});
  const Array normed = p.Times(h, Along(p, scale, h, {0, 1}));
  const Array y = p.MatMul(normed, p.Input({64, 64}));
  const Step step(p, {y});
  for (const Array& part : {squares, scale, normed}) {
    EXPECT_EQ(step.Owner(part), "block 1 [B10.3]");
  }
}

// [B10.3] Squares that something else reads too are no part of the normalisation.
TEST(SquaresThatOthersReadStayWithTheirProducer) {
  Program p;
  const Array h = Stem(p);
  const Array squares = p.Times(h, h);
  const Array scale = p.Apply("rsqrt", {p.Sum(squares, {2})});
  const Array y = p.MatMul(p.Times(h, Along(p, scale, h, {0, 1})), p.Input({64, 64}));
  const Step step(p, {y, squares, p.Apply("tanh", {squares})});
  EXPECT_EQ(step.Owner(squares), "block 0 [B10.2]");
  EXPECT_EQ(step.Owner(scale), "block 1 [B10.3]");
}

// [B10.3] What only gradients read of a normalisation, its derivative, stands where it does.
TEST(TheDerivativeOfANormalisationStandsWithIt) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 64});
  const Array scale = p.Apply("rsqrt", {p.Sum(p.Times(h, h), {2})});
  const Array y = p.MatMul(p.Times(h, Along(p, scale, h, {0, 1})), w);
  const Array derivative = p.Times(scale, scale);
  const Array dnormed = p.InputGradient(p.Apply("tanh", {y}), w);
  const Step step(p, {p.Times(dnormed, Along(p, derivative, h, {0, 1}))});
  EXPECT_EQ(step.Owner(derivative), "block 1 [B10.3]");
}

// [B10.4] A normalisation that two blocks read is a block of its own, without contractions; it is
// listed ahead of its readers.
TEST(ANormalisationThatSeveralReadIsABlock) {
  Program p;
  const Array normed = Norm(p, Stem(p));
  const Array a = p.MatMul(normed, p.Input({64, 64})), b = p.MatMul(normed, p.Input({64, 32}));
  const Step step(p, {a, b});
  EXPECT_EQ(step.Owner(normed), "block 1 [B10.4]");
  EXPECT_EQ(step.BlocksOf({a, b}), (Integers{2, 3}));
  EXPECT_TRUE(step.analysis().blocks.list[1].contractions.empty());
}

// [B10.4] A reader inside a loop does not make a normalisation outside its own: it would be
// computed on every trip.
TEST(ALoopDoesNotOwnWhatIsComputedOnce) {
  Program p;
  const Array normed = Norm(p, Stem(p));
  const Arrays initial{p.Filled(0, {8, 32, 64}), normed, p.Input({64, 64})};
  const Arrays results = p.Loop(4, initial, [&](const Array&, const Arrays& carry) {
    return Arrays{p.Plus(carry[0], p.MatMul(carry[1], carry[2])), carry[1], carry[2]};
  });
  const Step step(p, {results[0]});
  EXPECT_EQ(step.Owner(normed), "block 1 [B10.4]");
}

// [B10.5] A reduction that no contraction reads (the loss) stays with its producer.
TEST(TheLossStaysWithItsProducer) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Step step(p, {m.loss, m.dfirst, m.dsecond});
  EXPECT_EQ(step.Owner(m.loss), "block 1 [B10.5]");
}

// [B10.6] What is computed again belongs to the owner of the first computation, a normalisation's
// too.
TEST(WhatIsComputedAgainStaysWithTheFirst) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 64});
  const Array normed = Norm(p, h), again = Norm(p, p.Barrier(h));
  const Array y = p.Apply("tanh", {p.MatMul(normed, w)});
  const Array y_again = p.Apply("tanh", {p.MatMul(again, w)});
  const Step step(p, {p.Times(y, y), y_again});
  EXPECT_EQ(step.Owner(normed), "block 1 [B10.3]");
  EXPECT_EQ(step.Owner(again), "block 1 [B10.6]");
  EXPECT_EQ(step.Owner(y_again), "block 1 [B10.6]");
}

// The backward pass of an MLP with all kinds of ops in it.
struct Backward {
  Program p;
  Mlp m;
  Array passed, used, bias_gradient;
  Backward() {
    m.x = p.Input({kBatch, kWidth}), m.first = p.Input({kWidth, 128});
    m.second = p.Input({128, 16});
    WriteForward(p, &m);
    m.dy = p.Times(m.y, m.y);
    m.dsecond = p.WeightGradient(m.active, m.dy);
    m.dactive = p.InputGradient(m.dy, m.second);
    passed = p.Apply("negate", {m.dactive});
    used = p.Times(passed, m.active);
    m.dhidden = p.Apply("negate", {used});
    m.dfirst = p.WeightGradient(m.x, m.dhidden);
    bias_gradient = p.Sum(m.dhidden, {0});
  }
};

// [B10.7] The cotangent that a gradient reads belongs to the forward contraction's block, where
// the gradient is. dy follows no gradient, yet it is the first cotangent: here the backward pass
// begins.
TEST(TheCotangentBelongsToTheForwardsBlock) {
  Backward b;
  const Step step(b.p, {b.m.dfirst, b.m.dsecond, b.bias_gradient});
  EXPECT_EQ(step.Owner(b.m.dhidden), "block 0 [B10.7]");
  EXPECT_EQ(step.Owner(b.m.dy), "block 1 [B10.7]");
}

// [B10.7] Where the gradient reads the cotangent through a view, what the view is of is it too.
TEST(TheCotangentIsSeenThroughViews) {
  Program p;
  Mlp m;
  m.x = p.Input({kBatch, kWidth}), m.first = p.Input({kWidth, 128}), m.second = p.Input({128, 16});
  WriteForward(p, &m);
  const Array dactive = p.InputGradient(p.Times(m.y, m.y), m.second);
  const Array cotangent = p.Apply("negate", {dactive});
  const Array view = p.Transpose(cotangent, {1, 0});
  const Array dfirst = p.Dot(m.x, view, {{0}, {1}});
  const Step step(p, {dfirst});
  EXPECT_EQ(step.Owner(view), "block 0 [B10.7]");
  EXPECT_EQ(step.Owner(cotangent), "block 0 [B10.7]");
}

// [B10.8] A backward op that uses a forward value belongs to that value's block.
TEST(WhatDifferentiatesAValueBelongsToItsBlock) {
  Backward b;
  const Step step(b.p, {b.m.dfirst, b.m.dsecond, b.bias_gradient});
  EXPECT_EQ(step.Owner(b.used), "block 0 [B10.8]");
}

// [B10.9] Other backward ops follow what feeds them: the gradient of the later block on its way up,
// the sum that is a bias's gradient.
TEST(OtherBackwardOpsFollowWhatFeedsThem) {
  Backward b;
  const Step step(b.p, {b.m.dfirst, b.m.dsecond, b.bias_gradient});
  EXPECT_EQ(step.Owner(b.passed), "block 1 [B10.9]");
  EXPECT_EQ(step.Owner(b.bias_gradient), "block 0 [B10.9]");
}

// [B10.9] The sum of the gradients of two branches is computed with the earlier one, where the way
// up goes on.
TEST(TheSumOfTwoGradientsFollowsTheEarlierBlock) {
  for (const bool left_first : {false, true}) {
    Program p;
    const Array h = Stem(p), w = p.Input({64, 64}), v = p.Input({64, 48});
    const Array y = p.MatMul(h, w), z = p.MatMul(h, v);
    const Array from_y = p.InputGradient(p.Apply("tanh", {y}), w);
    const Array from_z = p.InputGradient(p.Apply("tanh", {z}), v);
    const Array sum = left_first ? p.Plus(from_y, from_z) : p.Plus(from_z, from_y);
    const Step step(p, {sum, p.WeightGradient(h, p.Apply("tanh", {y}))});
    EXPECT_EQ(step.BlocksOf({y, z}), left_first ? (Integers{1, 2}) : (Integers{2, 1}));
    EXPECT_EQ(step.Owner(sum), "block 1 [B10.9]");
  }
}

// [B10.11] The sum of the auxiliary losses of two blocks is nobody's, and so is what it is added
// to; each loss stays with its producer.
TEST(ATotalOfScalarsIsNobodys) {
  Program p;
  const Array h = Stem(p);
  const Array y = p.MatMul(h, p.Input({64, 64}));
  const Array first = p.Sum(h, {0, 1, 2}), second = p.Sum(y, {0, 1, 2});
  const Array total = p.Plus(first, second);
  const Array scaled = p.Times(total, p.Constant(0.5F));
  const Step step(p, {y, scaled});
  EXPECT_EQ(step.Owner(first), "block 0 [B10.5]");
  EXPECT_EQ(step.Owner(second), "block 1 [B10.5]");
  EXPECT_EQ(step.Owner(total), "nobody [B10.11]");
  EXPECT_EQ(step.Owner(scaled), "nobody [B10.11]");
}

// [B10.12] The state of a loop is nobody's, though a block makes its initial value.
TEST(TheStateOfALoopIsNobodys) {
  Program p;
  const Arrays initial{Stem(p), p.Input({kWidth, kWidth})};
  const Arrays last = p.Loop(4, initial, [&](const Array&, const Arrays& carry) {
    return Arrays{p.MatMul(carry[0], carry[1]), carry[1]};
  });
  const Step step(p, {last[0]});
  int states = 0;
  for (size_t op = 0; op < step.graph().ops.size(); ++op) {
    if (step.graph().ops[op].opcode != Opcode::kCarry) continue;
    if (step.graph().dims(static_cast<OpId>(op)).empty()) continue;  // the trip
    EXPECT_EQ(BecauseLabel(step.analysis().blocks.owner[op].because), "B10.12");
    ++states;
  }
  EXPECT_EQ(states, 1);
}

// [B10.13] What is made from updated weights alone follows no block; the update itself is the
// optimizer.
TEST(ANormOfUpdatedWeightsIsNobodys) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Array updated = p.Apply("subtract", {m.first, m.dfirst});
  const Array norm = p.Sum(p.Times(updated, updated), {0, 1});
  const Step step(p, {m.loss, updated, m.dsecond, norm});
  EXPECT_EQ(step.Owner(norm), "nobody [B10.13]");
}

// [B10] Every op has one owner, and the blocks list just the ops they own, in canonical order.
TEST(BlocksListWhatTheyOwn) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Array updated = p.Apply("subtract", {m.first, m.dfirst});
  const Step step(p, {m.loss, updated, m.dsecond});
  const Blocks& blocks = step.analysis().blocks;
  std::vector<std::vector<OpId>> owned(blocks.list.size());
  for (size_t op = 0; op < blocks.owner.size(); ++op) {
    const Owner& owner = blocks.owner[op];
    if (owner.kind == OwnerKind::kBlock) owned.at(owner.index).push_back(static_cast<OpId>(op));
  }
  EXPECT_EQ(blocks.owner.size(), step.graph().ops.size());
  for (size_t b = 0; b < owned.size(); ++b) EXPECT_EQ(blocks.list[b].ops, owned[b]);
}

// A block's contractions are listed forward ones first, and its FLOPs are those of all.
TEST(BlocksListTheirContractions) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Step step(p, {m.dfirst, m.dsecond});
  const ParallelBlock& second = step.analysis().blocks.list[1];
  EXPECT_EQ(second.forward_count, 1);
  EXPECT_EQ(second.contractions,
            (std::vector<int>{step.Contraction(m.y),
                              std::min(step.Contraction(m.dsecond), step.Contraction(m.dactive)),
                              std::max(step.Contraction(m.dsecond), step.Contraction(m.dactive))}));
  EXPECT_EQ(second.flops, 3 * 2.0 * 8 * 128 * 16);
}

}  // namespace
}  // namespace cfp
