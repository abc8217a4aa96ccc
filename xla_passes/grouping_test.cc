// Which contractions share a block, and by which clause.
#include "grouping.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// [B5] A contraction with a weight is a root: two matrices in a row are two blocks.
TEST(AWeightMakesARoot) {
  Program p;
  const Array first = p.MatMul(p.Input({8, 64}), p.Input({64, 128}));
  const Array second = p.MatMul(p.Apply("tanh", {first}), p.Input({128, 64}));
  const Step step(p, {second});
  EXPECT_EQ(step.BlocksOf({first, second}), (Integers{0, 1}));
  EXPECT_EQ(step.Join(first), "[B5]");
  EXPECT_EQ(step.Join(second), "[B5]");
}

// [B5] What depends on inputs alone counts as a weight, however it was made: LoRA's product of two
// small matrices.
TEST(AProductOfInputsIsAWeight) {
  Program p;
  const Array h = Stem(p);
  const Array update = p.Times(p.Input({64, 128}), p.Filled(0.5, {64, 128}));
  const Array y = p.MatMul(h, update);
  const Step step(p, {y});
  EXPECT_EQ(step.Join(y), "[B5]");
  EXPECT_EQ(WeightOperand(step.graph(), step.analysis().contractions, step.analysis().grouping,
                          step.Contraction(y)),
            1);
}

// [B5] Looking rows up in a parameter is a root; the table is its weight.
TEST(ALookupIsARoot) {
  Program p;
  const Array rows = p.Lookup(p.Input({1000, 64}), p.Input({8, 32}, DType::kS32));
  const Array y = p.MatMul(rows, p.Input({64, 64}));
  const Step step(p, {y});
  EXPECT_EQ(step.Join(rows), "[B5]");
  EXPECT_EQ(step.BlocksOf({rows, y}), (Integers{0, 1}));
}

// [B5.2] The heads of Wq pass q·kᵀ and those of Wv pass a·v, so all five are one block. The output
// projection has a weight: a root of its own.
TEST(AttentionIsOneBlock) {
  Program p;
  const Attention a = WriteAttention(p, Stem(p), 4);
  const Step step(p, {a.out});
  EXPECT_EQ(step.BlocksOf({a.q, a.k, a.v, a.scores, a.mixed, a.out}), (Integers{1, 1, 1, 1, 1, 2}));
  EXPECT_EQ(step.Join(a.q), "[B5]");
  EXPECT_EQ(step.Join(a.scores), "[B5.2]");
  EXPECT_EQ(step.Join(a.mixed), "[B5.2]");
}

// [B5.2] With one head all that is left of Wq's free dimension is contracted: q, k and the scores
// stay apart. Wv's still passes a·v, which joins v and the scores.
TEST(OneHeadIsNotAbsorbed) {
  Program p;
  const Attention a = WriteAttention(p, Stem(p), 1);
  const Step step(p, {a.out});
  EXPECT_EQ(step.Join(a.scores), "[B5]");
  EXPECT_TRUE(step.Block(a.q) != step.Block(a.k));
  EXPECT_TRUE(step.Block(a.q) != step.Block(a.scores));
  EXPECT_TRUE(step.Block(a.k) != step.Block(a.scores));
  EXPECT_EQ(step.Join(a.mixed), "[B5.2]");
  EXPECT_EQ(step.Block(a.mixed), step.Block(a.v));
}

// [B5.2] Many query heads, one key head: the queries' heads pass, so the block is one; the split of
// the key head, which is contracted, is dropped with a reason.
TEST(TheOneKeyHeadOfMultiQueryAttentionIsNotSplit) {
  Program p;
  const Array h = Stem(p);
  const Array q = p.MatMul(h, p.Input({64, 64})), k = p.MatMul(h, p.Input({64, 16}));
  const Array scores = p.Dot(WriteHeads(p, q, 4), k, {{3}, {2}}, {{0}, {0}});
  const Step step(p, {scores});
  EXPECT_EQ(step.BlocksOf({q, k, scores}), (Integers{1, 1, 1}));
  EXPECT_EQ(step.Join(scores), "[B5.2]");
  const std::vector<std::string>& dropped = step.StrategiesOf(scores).dropped;
  EXPECT_EQ(dropped, (std::vector<std::string>{
                         "weight split of %" + std::to_string(step.Op(k)) + ": summed over by %" +
                         std::to_string(step.Op(scores)) + ", while another weight split passes"}));
}

// [B5.2] Where no weight's split reaches the contraction there is none to lose: it unites its
// producers.
TEST(NoWeightSplitReachesTheContraction) {
  Program p;
  const Array h = Stem(p);
  const Array a = p.Sum(p.MatMul(h, p.Input({64, 48})), {2});
  const Array b = p.Sum(p.MatMul(h, p.Input({64, 48})), {2});
  const Array c = p.Dot(a, b, {{1}, {1}}, {{0}, {0}});
  const Step step(p, {c});
  EXPECT_EQ(step.Join(c), "[B5.2]");
}

// `early`, and `late` that follows from it, meet in one contraction over their last dimensions.
struct Path {
  Program p;
  Array early, late, meet;
  Path(int64_t early_heads, int64_t late_heads) {
    early = p.MatMul(Stem(p), p.Input({64, early_heads * 16}));
    late = p.MatMul(p.Apply("tanh", {early}), p.Input({early_heads * 16, late_heads * 16}));
    const Array a = Split(early, early_heads), b = Split(late, late_heads);
    const int64_t last_of_a = early_heads > 1 ? 3 : 2, last_of_b = late_heads > 1 ? 3 : 2;
    meet = p.Dot(a, b, {{last_of_a}, {last_of_b}}, {{0}, {0}});
  }
  Array Split(const Array& a, int64_t heads) { return heads > 1 ? WriteHeads(p, a, heads) : a; }
};

// [B5.3] With a path between the producers the contraction follows the later one whose split
// passes: the late one where both do, the early one where only it does, none where none does.
TEST(TheLaterProducerWhoseSplitPassesIsFollowed) {
  Path both(4, 2), only_early(4, 1), only_late(1, 4), none(1, 1);
  const Step step_both(both.p, {both.meet}), step_early(only_early.p, {only_early.meet}),
      step_late(only_late.p, {only_late.meet}), step_none(none.p, {none.meet});
  EXPECT_EQ(step_both.BlocksOf({both.early, both.late, both.meet}), (Integers{1, 2, 2}));
  EXPECT_EQ(step_both.Join(both.meet), "[B5.3]");
  EXPECT_EQ(step_early.BlocksOf({only_early.early, only_early.late, only_early.meet}),
            (Integers{1, 2, 1}));
  EXPECT_EQ(step_early.Join(only_early.meet), "[B5.3]");
  EXPECT_EQ(step_late.BlocksOf({only_late.early, only_late.late, only_late.meet}),
            (Integers{1, 2, 2}));
  EXPECT_EQ(step_none.BlocksOf({none.early, none.late, none.meet}), (Integers{1, 2, 3}));
  EXPECT_EQ(step_none.Join(none.meet), "[B5]");
}

// Tokens are dispatched to experts by a mask made of the router's logits, and their outputs
// combined by its weights.
struct Experts {
  Program p;
  Array router, weights, dispatched, inner, outer, combined;
  Experts() {
    constexpr int64_t kTokens = 256, kExperts = 8, kSlots = 64;
    const Array h = p.Reshape(Stem(p), {kTokens, kWidth});
    router = p.MatMul(h, p.Input({kWidth, kExperts}));
    const Integers mask_dims{kTokens, kExperts, kSlots};
    weights = p.Apply("logistic", {p.Broadcast(router, mask_dims, {0, 1})});
    const Array mask = p.Apply("sign", {weights});
    dispatched = p.Dot(mask, h, {{0}, {0}});
    inner = p.Dot(dispatched, p.Input({kExperts, kWidth, 128}), {{2}, {1}}, {{0}, {0}});
    outer =
        p.Dot(p.Apply("tanh", {inner}), p.Input({kExperts, 128, kWidth}), {{2}, {1}}, {{0}, {0}});
    combined = p.Dot(weights, outer, {{1, 2}, {0, 1}});
  }
};

// [B5.1] Combining reads what dispatching read, with free and contracted exchanged: it joins the
// block of the router and the dispatch, across the experts' two matrices.
TEST(CombiningJoinsDispatching) {
  Experts experts;
  const Step step(experts.p, {experts.combined});
  EXPECT_EQ(step.Join(experts.dispatched), "[B5.3]");
  EXPECT_EQ(step.Join(experts.combined), "[B5.1]");
  EXPECT_EQ(step.BlocksOf({experts.router, experts.dispatched, experts.inner, experts.outer,
                           experts.combined}),
            (Integers{1, 1, 2, 3, 1}));
}

// [B5.1] A product that keeps the experts apart reads the mask with the experts as batch, not as
// contracted: nothing is exchanged.
TEST(BatchIsNotExchangedWithFree) {
  Experts experts;
  const Array apart = experts.p.Dot(experts.weights, experts.outer, {{2}, {1}}, {{1}, {0}});
  const Step step(experts.p, {apart});
  EXPECT_TRUE(step.Join(apart) != "[B5.1]");
}

// Two projections that meet in a product.
struct GateAndUp {
  Program p;
  Array gate, up, product;
  enum Inputs { kSame, kTransposed, kDifferent };
  explicit GateAndUp(Inputs inputs, const char* meet = "multiply") {
    const Array h = Stem(p);
    gate = p.MatMul(h, p.Input({64, 128}));
    if (inputs == kSame) up = p.MatMul(h, p.Input({64, 128}));
    if (inputs == kDifferent) up = p.MatMul(Stem(p), p.Input({64, 128}));
    if (inputs == kTransposed) {
      const Array turned = p.Transpose(h, {1, 0, 2});
      up = p.Transpose(p.MatMul(turned, p.Input({64, 128})), {1, 0, 2});
    }
    product = p.Apply(meet, {p.Apply("logistic", {gate}), up});
  }
};

// [B6] Gate and up read one input and meet in an elementwise op: one block, also where one of them
// reads it transposed.
TEST(SiblingsShareABlock) {
  GateAndUp siblings(GateAndUp::kSame), turned(GateAndUp::kTransposed);
  const Step step(siblings.p, {siblings.product}), other(turned.p, {turned.product});
  EXPECT_EQ(step.BlocksOf({siblings.gate, siblings.up, siblings.product}), (Integers{1, 1, 1}));
  EXPECT_EQ(step.Join(siblings.up), "[B6]");
  EXPECT_EQ(other.BlocksOf({turned.gate, turned.up, turned.product}), (Integers{1, 1, 1}));
}

// [B6] With different inputs they stay two blocks, and the product follows the later one.
TEST(DifferentInputsAreNoSiblings) {
  GateAndUp strangers(GateAndUp::kDifferent);
  const Step step(strangers.p, {strangers.product});
  EXPECT_TRUE(step.Block(strangers.gate) != step.Block(strangers.up));
  EXPECT_EQ(step.Block(strangers.product),
            std::max(step.Block(strangers.gate), step.Block(strangers.up)));
  EXPECT_EQ(step.Join(strangers.gate), "[B5]");
  EXPECT_EQ(step.Join(strangers.up), "[B5]");
}

// [B6] Where a path leads from one to the other they are no siblings: a residual.
TEST(AResidualMakesNoSiblings) {
  Program p;
  const Array h = Stem(p);
  const Array y = p.MatMul(p.Apply("tanh", {h}), p.Input({64, 64}));
  const Array sum = p.Plus(h, y);
  const Step step(p, {sum});
  EXPECT_EQ(step.BlocksOf({h, y, sum}), (Integers{0, 1, 1}));
}

// [B6] Not even where both read one input: keys, and the scores of the input with these keys.
TEST(WhatFollowsFromAnotherIsNoSibling) {
  Program p;
  const Array h = p.MatMul(p.Input({8, 64, 64}), p.Input({64, 64}));
  const Array keys = p.MatMul(h, p.Input({64, 64}));
  const Array scores = p.Dot(h, keys, {{2}, {2}}, {{0}, {0}});
  const Array sum = p.Plus(keys, scores);
  const Step step(p, {sum});
  EXPECT_EQ(step.BlocksOf({h, keys, scores, sum}), (Integers{0, 1, 2, 2}));
}

// A join that is not elementwise (two towers side by side) unites nobody.
TEST(AConcatenationMakesNoSiblings) {
  Program p;
  const Array h = Stem(p);
  const Array a = p.MatMul(h, p.Input({64, 64})), b = p.MatMul(h, p.Input({64, 64}));
  const Array both = p.Add("concatenate", {a, b}, {kBatch, kSequence, 128},
                           PackedField(InstructionField::kDimensions, {2}));
  const Step step(p, {both});
  EXPECT_TRUE(step.Block(a) != step.Block(b));
}

// A sum follows the side with more contractions behind it: scores, not the position bias, in
// whichever order they are added.
TEST(TheBiasJoinsTheScores) {
  for (const bool bias_first : {false, true}) {
    Program p;
    const Attention a = WriteAttention(p, Stem(p), 4);
    const Array bias = p.MatMul(p.Input({4, 32, 8}), p.Input({8, 32}));
    const Array wide = p.Broadcast(bias, a.scores.dims, {1, 2, 3});
    const Array sum = bias_first ? p.Plus(wide, a.scores) : p.Plus(a.scores, wide);
    const Step step(p, {sum});
    EXPECT_EQ(step.Block(sum), step.Block(a.scores));
    EXPECT_TRUE(step.Block(bias) != step.Block(a.scores));
  }
}

// Three projections in one matrix, taken apart downstream.
struct Fused {
  Program p;
  Array projection, scores, mixed;
  Fused() {
    projection = p.MatMul(Stem(p), p.Input({64, 192}));
    Arrays parts;
    for (int64_t i = 0; i < 3; ++i) {
      parts.push_back(WriteHeads(p, p.Slice(projection, 2, 64 * i, 64 * i + 64), 4));
    }
    scores = p.Dot(parts[0], parts[1], {{3}, {3}}, {{0, 2}, {0, 2}});
    mixed = p.Dot(Softmax(p, scores), parts[2], {{3}, {1}}, {{0, 1}, {0, 2}});
  }
};

// [B5.2] The heads of a fused projection lie inside its three parts: there they pass the scores.
TEST(AFusedProjectionIsSplitInsideItsParts) {
  Fused fused;
  const Step step(fused.p, {fused.mixed});
  EXPECT_EQ(step.BlocksOf({fused.projection, fused.scores, fused.mixed}), (Integers{1, 1, 1}));
  const std::vector<FusedFactor>& factors = step.analysis().grouping.fused;
  EXPECT_EQ(factors.size(), 1);
  EXPECT_EQ(factors.at(0).contraction, step.Contraction(fused.projection));
  EXPECT_EQ(factors.at(0).parts, 3);
}

// [B9] Gradients and recomputations are in the block of their forward contraction.
TEST(GradientsShareTheBlockOfTheirForward) {
  Program p;
  Mlp m = WriteMlp(p);
  const Array again = p.MatMul(p.Barrier(m.x), m.first);
  const Step step(p, {m.dfirst, m.dsecond, again});
  EXPECT_EQ(step.BlocksOf({m.hidden, m.dfirst, again}), (Integers{0, 0, 0}));
  EXPECT_EQ(step.BlocksOf({m.y, m.dsecond, m.dactive}), (Integers{1, 1, 1}));
  EXPECT_EQ(step.Join(m.dfirst), "[B9]");
  EXPECT_EQ(step.Join(again), "[B9]");
}

}  // namespace
}  // namespace cfp
