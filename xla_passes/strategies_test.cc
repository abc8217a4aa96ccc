// The strategies of a block: what may be cut together, how finely, and what that communicates.
#include "strategies.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// [B3] [B8] A matrix is split over its rows, its columns, or what it sums over; only the last
// communicates.
TEST(TheStrategiesOfAMatrix) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 128});
  const Array y = p.MatMul(h, w);
  const Array active = p.Apply("tanh", {y});
  const Step step(p, {active});
  EXPECT_EQ(step.Strategies(y),
            "activation of 8\nactivation of 32\nweight of 128\n"
            "contracted of 64: all-reduce f32[8,32,128]\n");
  const Strategy& columns = step.TheStrategy(y, "weight");
  EXPECT_EQ(step.Cut(columns, w), "dim 1");
  EXPECT_EQ(step.Cut(columns, active), "dim 2");
  EXPECT_EQ(step.Cut(columns, h), "whole");
  const Strategy& contracted = step.TheStrategy(y, "contracted");
  EXPECT_EQ(step.Cut(contracted, h), "dim 2");
  EXPECT_EQ(step.Cut(contracted, w), "dim 0");
  EXPECT_EQ(step.Cut(contracted, active), "whole");
  EXPECT_EQ(contracted.collectives.at(0).size_bytes, 8 * 32 * 128 * 4);
}

// [B3] The heads of q, k and v meet on batch factors of q·kᵀ and a·v: one class. So do their rows
// and what they sum over, because they read one input.
// [B4] The sequence reaches q·kᵀ as queries and as keys: two variants. Keeping the queries gathers
// k, and v, which was not forked; keeping the keys gathers q and sums in softmax and in a·v.
TEST(TheStrategiesOfAttention) {
  Program p;
  const Array h = Stem(p);
  const Attention a = WriteAttention(p, h, 4);
  const Step step(p, {a.out});
  EXPECT_EQ(step.Strategies(a.scores),
            "activation of 8\n"
            "activation of 32 keeping operand 0: all-gather f32[8,32,4,16], all-gather "
            "f32[8,32,4,16]\n"
            "activation of 32 keeping operand 1: all-gather f32[8,32,4,16], all-reduce "
            "f32[8,4,32], all-reduce f32[8,4,32], all-reduce f32[8,4,32,16]\n"
            "weight of 4\n"
            "contracted of 64: all-reduce f32[8,32,64], all-reduce f32[8,32,64], all-reduce "
            "f32[8,32,64]\n");
  EXPECT_EQ(step.TheStrategy(a.q, "weight").seeds.size(), 3);
  EXPECT_EQ(step.TheStrategy(a.q, "activation of 8").seeds.size(), 3);
}

// [B3] A query gated by its own input meets the keys with two classes: its heads, and the input's
// width. The heads stay free of communication.
TEST(AGatedQueryKeepsItsHeads) {
  Program p;
  const Array h = Stem(p);
  const Array q = p.Times(p.MatMul(h, p.Input({kWidth, kWidth})), h),
              k = p.MatMul(h, p.Input({kWidth, kWidth}));
  const Array scores =
      p.Dot(WriteHeads(p, q, 4), WriteHeads(p, k, 4), {{3}, {3}}, {{0, 2}, {0, 2}});
  const Step step(p, {scores});
  EXPECT_EQ(step.TheStrategy(scores, "weight of 4").collectives.size(), 0);
  EXPECT_EQ(step.TheStrategy(scores, "contracted").collectives.size(), 2);
}

// Scores of one input, and their product with values that is written values first.
struct ValuesFirst {
  Program p;
  Array scores, mixed;
  explicit ValuesFirst(bool with_gate) {
    const Array h = Stem(p);
    const Array q = WriteHeads(p, p.MatMul(h, p.Input({64, 64})), 4);
    const Array k = WriteHeads(p, p.MatMul(h, p.Input({64, 64})), 4);
    const Array v = WriteHeads(p, p.MatMul(h, p.Input({64, 64})), 4);
    scores = p.Dot(q, k, {{3}, {3}}, {{0, 2}, {0, 2}});
    Array weights = p.Apply("tanh", {scores});
    if (with_gate) weights = p.Times(p.Broadcast(p.Sum(q, {3}), scores.dims, {0, 2, 1}), weights);
    mixed = p.Dot(v, weights, {{1}, {3}}, {{0, 2}, {0, 1}});
  }
};

// [B4] Where a forked value later meets an unforked one of its class the forked side is kept: the
// values are gathered, whichever way round the product is written, and also where the queries' side
// was multiplied by something unforked on the way.
TEST(TheForkedSideIsKept) {
  for (const bool with_gate : {false, true}) {
    ValuesFirst values_first(with_gate);
    const Step step(values_first.p, {values_first.mixed});
    const Strategy& queries =
        step.TheStrategy(values_first.scores, "activation of 32 keeping operand 0");
    EXPECT_EQ(step.Text(queries),
              "activation of 32 keeping operand 0: all-gather f32[8,32,4,16], all-gather "
              "f32[8,32,4,16]");
    EXPECT_EQ(queries.forked_at, step.Op(values_first.scores));
  }
}

// [B2] A split goes on where one factor is cut on every operand that has it and passes to the
// result: heads through reshape, scores, softmax and the product with the values.
TEST(ASplitIsFollowedThroughTheBlock) {
  Program p;
  const Array h = Stem(p);
  const Attention a = WriteAttention(p, h, 4);
  const Step step(p, {a.out});
  const Strategy& heads = step.TheStrategy(a.q, "weight");
  EXPECT_EQ(step.Cut(heads, a.q), "dim 2");
  EXPECT_EQ(step.Cut(heads, a.scores), "dim 1");
  EXPECT_EQ(step.Cut(heads, a.weights), "dim 1");
  EXPECT_EQ(step.Cut(heads, a.mixed), "dim 1");
  const Strategy& queries = step.TheStrategy(a.q, "activation of 32 keeping operand 0");
  EXPECT_EQ(step.Cut(queries, h), "dim 1");
  EXPECT_EQ(step.Cut(queries, a.weights), "dim 2");
  EXPECT_EQ(step.Cut(step.TheStrategy(a.q, "activation of 32 keeping operand 1"), a.weights),
            "dim 3");
}

// [B2] A reduced factor leaves a partial result: a normalisation over the split dimension declares
// an all-reduce of its statistics, and the value goes on.
TEST(StatisticsAreAllReduced) {
  Program p;
  const Array y = p.MatMul(Norm(p, Stem(p)), p.Input({64, 128}));
  const Step step(p, {y});
  EXPECT_EQ(step.Strategies(y),
            "activation of 8\nactivation of 32\nweight of 128\n"
            "contracted of 64: all-reduce f32[8,32], all-reduce f32[8,32,128]\n");
}

// [B2] What moves shards, and what nobody knows how to split, gathers its operand.
TEST(AnythingElseGathers) {
  Program p;
  const Array h = Stem(p);
  const Array y = p.MatMul(h, p.Input({64, 128}));
  const Array unknown = p.Add("custom-call", {p.Reverse(y, {1})}, y.dims,
                              BytesField(InstructionField::kCustomCallTarget, "mystery"));
  const Step step(p, {unknown});
  EXPECT_EQ(step.Strategies(y),
            "activation of 8: all-gather f32[8,32,128]\n"
            "activation of 32: all-gather f32[8,32,128]\n"
            "weight of 128: all-gather f32[8,32,128]\n"
            "contracted of 64: all-reduce f32[8,32,128]\n");
  const Strategy& rows = step.TheStrategy(y, "activation of 8");
  EXPECT_EQ(rows.collectives.at(0).reader, step.Op(unknown));
  EXPECT_EQ(step.TheStrategy(y, "activation of 32").collectives.at(0).value, step.Op(y));
}

// [B2] A window that reaches into the neighbour's shard declares a halo of it.
TEST(WindowsDeclareAHalo) {
  Program p;
  const Array h = Stem(p);
  const Array y = Convolve(p, h, 128);
  const Step step(p, {y});
  EXPECT_EQ(step.Strategies(y),
            "activation of 8\nactivation of 32: halo f32[8,32,64]\nweight of 128\n"
            "contracted of 64: all-reduce f32[8,32,128]\n");
}

// [B3] Gate and up are cut together, because they meet in an elementwise op.
TEST(SiblingsAreCutTogether) {
  Program p;
  const Array h = Stem(p);
  const Array gate = p.MatMul(h, p.Input({64, 128})), up = p.MatMul(h, p.Input({64, 128}));
  const Step step(p, {p.Times(p.Apply("logistic", {gate}), up)});
  EXPECT_EQ(step.Strategies(gate),
            "activation of 8\nactivation of 32\nweight of 128\n"
            "contracted of 64: all-reduce f32[8,32,128], all-reduce f32[8,32,128]\n");
  EXPECT_EQ(step.TheStrategy(gate, "weight").seeds.size(), 2);
}

// [B3] A value that is multiplied by its own projection: to cut the projection's columns one need
// not sum over a cut input, so they stay two classes.
TEST(AProjectionOfItselfIsNoClassWithItsInput) {
  Program p;
  const Array h = Stem(p);
  const Array y = p.MatMul(h, p.Input({64, 64}));
  const Step step(p, {p.Times(y, h)});
  EXPECT_EQ(step.Strategies(y),
            "activation of 8\nactivation of 32\nweight of 64\n"
            "contracted of 64: all-reduce f32[8,32,64]\n");
}

// The first `columns` of 256 tokens are sent to the slots of 8 experts, by a mask made of the
// router's logits.
struct Dispatch {
  Program p;
  Array mask, dispatched;
  Dispatch(int64_t slots, int64_t columns) {
    const Array tokens = p.MatMul(p.Input({256, kWidth}), p.Input({kWidth, 48}));
    const Array logits = p.MatMul(p.Apply("tanh", {tokens}), p.Input({48, 8}));
    mask = p.Apply("sign", {p.Broadcast(logits, {256, 8, slots}, {0, 1})});
    dispatched = p.Dot(mask, p.Slice(tokens, 1, 0, columns), {{0}, {0}});
  }
};

// [B3] The slots are first met at the dispatch: a late class. It is kept, as it divides nearly all
// of the FLOPs, and the mask is made in parts.
TEST(ALateClassThatDividesMostIsKept) {
  Dispatch d(64, 48);
  const Step step(d.p, {d.dispatched});
  const Strategy& slots = step.TheStrategy(d.dispatched, "late of 64");
  EXPECT_EQ(slots.collectives.size(), 0);
  EXPECT_EQ(step.Cut(slots, d.mask), "dim 2");
  EXPECT_EQ(step.Cut(slots, d.dispatched), "dim 1");
  EXPECT_EQ(slots.split_flops, 2.0 * 256 * 8 * 64 * 48);
}

// [B3] With two slots and few columns the slots, and the columns, divide less than half: given up.
TEST(ALateClassThatDividesLittleIsGivenUp) {
  Dispatch d(2, 6);
  const Step step(d.p, {d.dispatched});
  const std::string why = "late split of %" + std::to_string(step.Op(d.dispatched)) +
                          ": first met inside the block, divides less than half of its FLOPs";
  EXPECT_EQ(step.StrategiesOf(d.dispatched).dropped, (std::vector<std::string>{why, why}));
  EXPECT_EQ(step.Strategies(d.dispatched),
            "activation of 256: all-reduce f32[8,2,6]\nweight of 8\n"
            "contracted of 48: all-reduce f32[256,8]\n");
}

// [B8] The granule is what all factors that a class cuts have in common: 8 query heads in 2 groups,
// 2 key heads.
TEST(TheGranuleIsCommonToAll) {
  Program p;
  const Array h = Stem(p);
  const Array q = p.MatMul(h, p.Input({64, 128})), k = p.MatMul(h, p.Input({64, 32}));
  const Array scores = p.Dot(p.Reshape(q, {8, 32, 2, 4, 16}), p.Reshape(k, {8, 32, 2, 16}),
                             {{4}, {3}}, {{0, 2}, {0, 2}});
  const Step step(p, {scores});
  EXPECT_EQ(step.TheStrategy(q, "weight").granule, 2);
}

// [B8] One reader that needs four heads holds for the class, whichever reader comes first.
TEST(OneReaderLimitsTheGranule) {
  for (const bool heads_first : {false, true}) {
    Program p;
    const Array y = p.MatMul(Stem(p), p.Input({64, 128}));
    const Array heads = WriteHeads(p, y, 4), active = p.Apply("tanh", {y});
    const Step step(p, heads_first ? Arrays{heads, active} : Arrays{active, heads});
    EXPECT_EQ(step.TheStrategy(y, "weight").granule, 4);
  }
}

// [B8] Sizes that nothing divides make the same block with other granules.
TEST(DivisibilityNeverChangesABlock) {
  Program even, odd;
  const Attention a = WriteAttention(even, Stem(even), 4), b = WriteAttention(odd, Stem(odd), 3, 5);
  const Step step(even, {a.out}), other(odd, {b.out});
  EXPECT_EQ(step.BlocksOf({a.q, a.k, a.v, a.scores, a.mixed, a.out}),
            other.BlocksOf({b.q, b.k, b.v, b.scores, b.mixed, b.out}));
  EXPECT_EQ(other.TheStrategy(b.q, "weight").granule, 3);
}

// [B8] A projection that is sliced apart downstream is cut inside each of its three parts.
TEST(AFusedProjectionIsCutInsideItsParts) {
  Program p;
  const Array w = p.Input({64, 192});
  const Array fused = p.MatMul(Stem(p), w);
  Arrays parts;
  for (int64_t i = 0; i < 3; ++i) {
    parts.push_back(WriteHeads(p, p.Slice(fused, 2, 64 * i, 64 * i + 64), 4));
  }
  const Array scores = p.Dot(parts[0], parts[1], {{3}, {3}}, {{0, 2}, {0, 2}});
  const Array mixed = p.Dot(Softmax(p, scores), parts[2], {{3}, {1}}, {{0, 1}, {0, 2}});
  const Step step(p, {mixed});
  const Strategy& heads = step.TheStrategy(mixed, "weight");
  EXPECT_EQ(step.Text(heads), "weight of 4");
  EXPECT_EQ(step.Cut(heads, w), "dim 1/3");
  EXPECT_EQ(step.Cut(heads, parts[1]), "dim 2");
  EXPECT_EQ(step.Cut(heads, mixed), "dim 1");
}

// [B8] FLOPs that a split does not divide are told: an output projection's columns leave q, k and v
// to every device.
TEST(SplitFlopsAreThoseThatASplitDivides) {
  Program p;
  const Attention a = WriteAttention(p, Stem(p), 4);
  const Step step(p, {a.out});
  const double projection = 2.0 * 8 * 32 * 64 * 64, products = 2 * 2.0 * 8 * 32 * 32 * 64;
  EXPECT_EQ(step.TheStrategy(a.q, "weight").split_flops, 3 * projection + products);
  EXPECT_EQ(step.TheStrategy(a.q, "contracted").split_flops, 3 * projection);
}

}  // namespace
}  // namespace cfp
