// How values lie on the axes of a mesh, and what moves.
#include "axis_layout.h"

#include "testing.h"
#include "trained_testing.h"

namespace cfp {
namespace {

using namespace testing;

// [L1] [L3] [L4] [L10] Columns of the first matrix, rows of the second: one all-reduce forward.
// Gradients lie as their weights, and so does what follows them. The input's gradient would need
// another all-reduce; here nobody asks for it.
TEST(ColumnsThenRows) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.ColumnsThenRows(4)}, t.next);
  EXPECT_EQ(laid.Movements(), "all-reduce f32[8,16]\n");
  EXPECT_EQ(laid.Cut(t.m.hidden), "dim 1");
  EXPECT_EQ(laid.Cut(t.m.y), "whole");
  EXPECT_EQ(laid.Cut(t.m.dsecond), "dim 0");
  EXPECT_EQ(laid.Cut(t.m.dfirst), "dim 1");
  EXPECT_EQ(laid.Cut(t.next_momentum), "dim 0");
  EXPECT_EQ(laid.Use(t.m.y, 0), "dim 1");
  EXPECT_EQ(laid.Use(t.m.y, 1), "dim 0");
  EXPECT_EQ(laid.Use(t.m.dfirst, 0), "whole");
}

// [L3] [L10] Between two layers the pair costs one all-reduce forward and one backward, of the
// cotangent of what it reads.
TEST(OneAllReduceForwardAndOneBackward) {
  Program p;
  const Array x = p.Input({8, 64}), before = p.Input({64, 32});
  Mlp m;
  m.x = p.Apply("tanh", {p.MatMul(x, before)});
  m.first = p.Input({32, 128});
  m.second = p.Input({128, 16});
  WriteForward(p, &m);
  m.dy = p.Times(m.y, p.Filled(2, m.y.dims));
  WriteBackward(p, &m);
  const Array dx = p.InputGradient(m.dhidden, m.first);
  const Array dbefore = p.WeightGradient(x, p.Times(dx, m.x));
  const Step step(p, {p.Sum(p.Times(m.y, m.y), {0, 1}), m.dsecond, m.dfirst, dbefore});
  const Laid laid(step, {Plan(step, 4).Choose(m.hidden, "weight").Choose(m.y, "contracted")});
  EXPECT_EQ(laid.Movements(), "all-reduce f32[8,16]\nall-reduce f32[8,32]\n");
  EXPECT_EQ(laid.Count(MovementKind::kAllReduce, m.y), 1);
  EXPECT_EQ(laid.Count(MovementKind::kAllReduce, dx), 1);
}

// [L8] [L10] The batch is cut: every weight gradient is summed once, and so is the loss. The data
// lies as it is read.
TEST(DataParallel) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.Data(4)}, t.next);
  EXPECT_EQ(laid.Movements(), "all-reduce f32[64,128]\nall-reduce f32[128,16]\nall-reduce f32[]\n");
  EXPECT_EQ(laid.Cut(t.m.x), "dim 0");
  EXPECT_EQ(laid.Wanted(t.m.first), "whole");
  EXPECT_EQ(laid.Cut(t.m.y), "dim 0");
  EXPECT_EQ(laid.Cut(t.m.dsecond), "whole");
}

// [L9] [L10] Weights and momentum are stored cut: gathered where they are used, and what is summed
// goes at once to who keeps it.
TEST(StoredCut) {
  const TrainedMlp t;
  const Laid laid(
      t.step,
      {t.Data(4).Store(t.m.x, 0).Store(t.m.first, 1).Store(t.m.second, 0).Store(t.momentum, 0)},
      t.next);
  EXPECT_EQ(laid.Movements(),
            "all-gather f32[64,128]\nall-gather f32[128,16]\n"
            "reduce-scatter f32[64,128]\nreduce-scatter f32[128,16]\nall-reduce f32[]\n");
  EXPECT_EQ(laid.Use(t.m.hidden, 1), "whole");
  EXPECT_EQ(laid.Cut(t.m.dfirst), "dim 1");
  EXPECT_EQ(laid.Cut(t.next_first), "dim 1");
  EXPECT_EQ(laid.Cut(t.next_second), "dim 0");
}

// [L6] [L9] [L10] The momentum alone is stored cut: the gradient is summed in parts, and the
// updated weight is gathered once, as the step's result.
TEST(OptimizerStateStoredCut) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.Data(4).Store(t.m.x, 0).Store(t.momentum, 0)}, t.next);
  EXPECT_EQ(laid.Movements(),
            "all-reduce f32[64,128]\nreduce-scatter f32[128,16]\nall-reduce f32[]\n"
            "all-gather f32[128,16]\n");
  EXPECT_EQ(laid.Count(MovementKind::kAllGather, t.next_second), 1);
}

// [L6] A weight is stored in rows whose gradient is cut in columns: the update is made in rows, so
// that the gradient goes there and nothing after it.
TEST(UpdatesLieAsTheyAreStored) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.ColumnsThenRows(4).Store(t.m.first, 0).Store(t.m.second, 0)}, t.next);
  EXPECT_EQ(laid.Cut(t.m.dfirst), "dim 1");
  EXPECT_EQ(laid.Cut(t.share), "dim 0");
  EXPECT_EQ(laid.Cut(t.next_first), "dim 0");
  EXPECT_EQ(laid.Count(MovementKind::kAllToAll, t.m.dfirst), 1);
  EXPECT_EQ(laid.Count(MovementKind::kAllToAll, t.share), 0);
}

// [L6] [L9] A sum over devices goes at once to where the update is made, although what it meets
// first is stored elsewhere.
TEST(AGradientGoesWhereTheUpdateIsMade) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Array momentum = p.Input(m.first.dims);
  const Array moved = p.Plus(momentum, m.dfirst), next = p.Plus(m.first, moved);
  const Step step(p, {m.loss, m.dsecond, next});
  const Laid laid(step,
                  {Plan(step, 4)
                       .Choose(m.hidden, "activation")
                       .Choose(m.y, "activation")
                       .Store(m.x, 0)
                       .Store(m.first, 0)
                       .Store(momentum, 1)},
                  {{next, m.first}});
  EXPECT_EQ(step.Owner(moved), "optimizer 1 [B10.10]");
  EXPECT_EQ(laid.Cut(m.dfirst), "dim 0");
  EXPECT_EQ(laid.Cut(moved), "dim 0");
  EXPECT_EQ(laid.Count(MovementKind::kReduceScatter, m.dfirst), 1);
  EXPECT_EQ(laid.Count(MovementKind::kAllToAll, momentum), 1);
}

// [L8] With places given, what is not named is whole, and readers take their parts of it for
// nothing.
TEST(AWholeArgumentIsReadInParts) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.Data(4).StoreWhole()}, t.next);
  EXPECT_EQ(laid.Cut(t.m.x), "whole");
  EXPECT_EQ(laid.Wanted(t.m.x), "dim 0");
  EXPECT_EQ(laid.Use(t.m.hidden, 0), "dim 0");
  EXPECT_EQ(laid.Count(MovementKind::kAllGather, t.m.x), 0);
}

// [L10] A value that two blocks want cut at different places goes from one to the other by an
// all-to-all, once for all who read it there.
TEST(FromRowsToColumns) {
  Program p;
  const Array h = p.Apply("tanh", {p.MatMul(p.Input({8, 64}), p.Input({64, 128}))});
  const Array first = p.MatMul(h, p.Input({128, 16})), second = p.MatMul(h, p.Input({128, 32}));
  const Step step(p, {first, second});
  const Array stem = h;
  const Laid laid(step, {Plan(step, 4)
                             .Choose(stem, "activation")
                             .Choose(first, "contracted")
                             .Choose(second, "contracted")});
  EXPECT_EQ(laid.Count(MovementKind::kAllToAll, h), 1);
  EXPECT_EQ(laid.Movements(),
            "all-to-all f32[8,128]\nall-reduce f32[8,16]\nall-reduce f32[8,32]\n");
}

// [L7] [L10] In a loop what moves moves once per trip; the state enters as it comes back, and the
// residuals lie as the rows that are stacked.
TEST(AScanOverLayers) {
  const TrainedScan t;
  const Laid laid(t.step, {Plan(t.step, 4).Choose(t.y, "activation")}, t.next);
  EXPECT_EQ(laid.Movements(), "12 x all-reduce f32[64,64]\n");
  EXPECT_EQ(laid.Cut(t.x), "dim 0");
  EXPECT_EQ(laid.Cut(t.saved), "dim 1");
  EXPECT_EQ(laid.Cut(t.dx), "dim 0");
}

// [L7] [L8] [L10] Columns of square layers: the stack is stored as its rows are read. The state
// comes back cut in columns and is gathered on every trip, and the residuals are when they are
// read. The cotangent comes back whole, so the first one is gathered once, before its loop.
TEST(ALoopStateSettles) {
  const TrainedScan t;
  const Laid laid(t.step, {Plan(t.step, 4).Choose(t.y, "weight")}, t.next);
  EXPECT_EQ(laid.Wanted(t.weights), "dim 2");
  EXPECT_EQ(laid.Cut(t.w), "dim 1");
  EXPECT_EQ(laid.Cut(t.dw), "dim 1");
  EXPECT_EQ(laid.Cut(t.next_weights), "dim 2");
  EXPECT_EQ(laid.Movements(),
            "12 x all-gather f32[8,64]\nall-gather f32[8,64]\n12 x all-reduce f32[8,64]\n"
            "12 x all-gather f32[8,64]\n");
  EXPECT_EQ(laid.Cut(t.saved), "dim 2");
  EXPECT_EQ(laid.Count(MovementKind::kAllGather, t.dlast), 1);
}

// A projection with a bias in half precision; both are stored as f32.
struct Biased {
  Program p;
  Array w = p.Input({64, 16}), bias = p.Input({16});
  Array h = p.Apply("tanh", {p.MatMul(p.Input({8, 32}), p.Input({32, 64}))});
  Array half = p.Convert(w, DType::kBF16);
  Array y = p.Dot(p.Convert(h, DType::kBF16), half, {{1}, {0}});
  Array spread = p.Broadcast(p.Convert(bias, DType::kBF16), {8, 16}, {1});
  Array sum = p.Plus(y, spread);
  Step step{p, {sum}};
};

// [L5] [L11] What every reader computes for itself is gathered where it is smallest: a bias before
// it is broadcast, a weight after it is converted to fewer bits.
TEST(GatheredWhereSmallest) {
  const Biased b;
  const Laid laid(b.step,
                  {Plan(b.step, 4).Choose(b.y, "activation").Store(b.w, 0).Store(b.bias, 0)});
  EXPECT_EQ(laid.Movements(), "all-gather bf16[64,16]\nall-gather bf16[16]\n");
  EXPECT_EQ(laid.Cut(b.half), "dim 0");
  EXPECT_EQ(laid.Cut(b.spread), "dim 0");
}

// [L5] A source that one reader needs whole is made whole; the cut of a smaller array behind it
// does not spread. [L11] That array is gathered once.
TEST(AReaderThatNeedsASourceWhole) {
  Biased b;
  const Array whole = b.p.MatMul(b.spread, b.p.Input({16, 4}, DType::kBF16));
  const Step step(b.p, {b.sum, whole});
  const Laid laid(step, {Plan(step, 4).Choose(b.y, "activation").Store(b.bias, 0)});
  EXPECT_EQ(laid.Cut(b.spread), "whole");
  EXPECT_EQ(laid.Movements(), "all-gather bf16[16]\n");
}

// [L11] A bias is gathered, not the activation that it was broadcast to in columns, for a reader
// that turns the columns round.
TEST(NotWhereItIsLarge) {
  Biased b;
  const Array turned = b.p.Plus(b.p.Reverse(b.spread, {1}), b.sum);
  const Step step(b.p, {turned});
  const Laid laid(step, {Plan(step, 4).Choose(b.y, "weight").Store(b.bias, 0)});
  EXPECT_EQ(laid.Cut(b.spread), "dim 1");
  EXPECT_EQ(laid.Movements(), "all-gather bf16[16]\n");
}

// [L11] A source without an argument behind it does not move: every reader makes what it needs.
// Sixty sums of a value with itself are looked at once each.
TEST(WhatComesFromNothingDoesNotMove) {
  Program p;
  Array mask = p.Iota({8, 16}, 1);
  for (int i = 0; i < 60; ++i) mask = p.Plus(mask, mask);
  const Array first = p.MatMul(p.Input({8, 32}), p.Input({32, 16}));
  const Array second = p.MatMul(p.Input({8, 64}), p.Input({64, 16}));
  const Step step(p, {p.Times(mask, first), p.Times(mask, second)});
  const Laid laid(step, {Plan(step, 4).Choose(first, "activation").Choose(second, "weight")});
  EXPECT_EQ(laid.Movements(), "");
}

// [L4] [L5] A mask is made in columns for the product in columns, and that cuts nothing else that
// it masks.
TEST(WhatIsMadeForOneReaderLeadsNoOther) {
  Program p;
  const Array mask = p.Iota({8, 32}, 1);
  const Array columns = p.MatMul(p.Input({8, 64}), p.Input({64, 32}));
  const Array whole = p.MatMul(p.Input({8, 16}), p.Input({16, 32}));
  const Array masked = p.Times(mask, whole);
  const Step step(p, {p.Times(mask, columns), masked});
  const Laid laid(step, {Plan(step, 4).Choose(columns, "weight")});
  EXPECT_EQ(laid.Cut(mask), "dim 1");
  EXPECT_EQ(laid.Cut(masked), "whole");
  EXPECT_EQ(laid.Movements(), "");
}

// [L8] [L11] A bias whose readers take columns is stored so, and nothing moves.
TEST(ABiasLiesAsItsReadersWantIt) {
  const Biased b;
  const Laid laid(b.step, {Plan(b.step, 4).Choose(b.y, "weight")});
  EXPECT_EQ(laid.Movements(), "");
  EXPECT_EQ(laid.Wanted(b.bias), "dim 0");
  EXPECT_EQ(laid.Cut(b.sum), "dim 1");
}

// [L4] Two axes cut 8 rows into 4 and 2 parts. Where the first one cuts them into 8 the second
// finds none left: what would have cut the sum is gathered.
TEST(AxesShareADimension) {
  Program p;
  const Array x = p.Input({8, 64}), other = p.Input({8, 32});
  const Array y = p.MatMul(x, p.Input({64, 32})), sum = p.Plus(other, p.Apply("tanh", {y}));
  const Step step(p, {sum});
  const auto rows = [&](int64_t size) {
    return Plan(step, size).Choose(y, "activation").StoreWhole();
  };
  const Plan stored = Plan(step, 2).Store(other, 0);
  const Laid fits(step, {rows(4), stored}), full(step, {rows(8), stored});
  EXPECT_EQ(fits.Cut(sum, 0), "dim 0");
  EXPECT_EQ(fits.Cut(sum, 1), "dim 0");
  EXPECT_EQ(fits.Movements(1), "");
  EXPECT_EQ(full.Cut(sum, 0), "dim 0");
  EXPECT_EQ(full.Cut(sum, 1), "whole");
  EXPECT_EQ(full.Movements(1), "all-gather f32[8,32]\n");
}

// [L4] What a strategy decides on a later axis has its share, too.
TEST(LaterAxesHaveTheirShare) {
  Program p;
  const Array x = p.Input({8, 64}), other = p.Input({8, 32});
  const Array y = p.MatMul(x, p.Input({64, 32})), sum = p.Times(other, p.Apply("tanh", {y}));
  const Step step(p, {sum});
  const Laid laid(
      step, {Plan(step, 2).Store(other, 0), Plan(step, 8).Choose(y, "activation").StoreWhole()});
  EXPECT_EQ(laid.Cut(sum, 0), "whole");
  EXPECT_EQ(laid.Cut(sum, 1), "dim 0");
}

// [L8] [L10] A fused projection is cut inside its two parts, and lies best so. From rows it is
// brought there, from a cut in a row it has to be made whole.
TEST(AFusedWeightIsCutInsideItsParts) {
  Program p;
  const Array w = p.Input({64, 128});
  const Array fused = p.MatMul(Stem(p), w);
  const Step step(p, {p.Times(p.Slice(fused, 2, 0, 64), p.Slice(fused, 2, 64, 128))});
  const Laid laid(step, {Plan(step, 4).Choose(fused, "weight")});
  EXPECT_EQ(laid.Use(fused, 1), "dim 1/2");
  EXPECT_EQ(laid.Cut(w), "dim 1/2");
  EXPECT_EQ(laid.Movements(), "");
  const Laid rows(step, {Plan(step, 4).Choose(fused, "weight").Store(w, 0)});
  EXPECT_EQ(rows.Movements(), "all-to-all f32[64,128]\n");
  const Laid in_a_row(step, {Plan(step, 4).Choose(fused, "weight").Store(w, 1)});
  EXPECT_EQ(in_a_row.Movements(), "all-gather f32[64,128]\n");
}

// [L4] A gradient whose factors cannot be told follows what it reads: the rows it adds are turned.
TEST(AGradientWithoutAMirrorFollows) {
  Program p;
  const Array table = p.Input({1000, 64}), tokens = p.Input({8, 32}, DType::kS32);
  const Array rows = p.Lookup(table, tokens);
  const Array cotangent = p.Transpose(p.Apply("tanh", {rows}), {1, 0, 2});
  const Array gradient = p.AddRows(p.Filled(0, {1000, 64}), p.Transpose(tokens, {1, 0}), cotangent);
  const Step step(p, {gradient});
  EXPECT_EQ(step.Phase(gradient), step.GradientOf(rows, 0));
  const Laid laid(step, {Plan(step, 4).Choose(rows, "activation of 8")});
  EXPECT_EQ(laid.Cut(cotangent), "dim 1");
  EXPECT_EQ(laid.Movements(), "all-reduce f32[1000,64]\n");
}

// [L10] Neighbours of a window are a halo; what cannot be added up gathers its partial results, and
// is no part of anything, whoever asks for one.
TEST(HalosAndPartialResults) {
  Program p;
  const Array y = Convolve(p, Stem(p), 128);
  const Array folded = p.Fold(y, {2}), stored = p.Input({8, 32});
  const Array next = p.Plus(stored, folded);
  const Step step(p, {next});
  const Laid length(step, {Plan(step, 4).Choose(y, "activation of 32")});
  EXPECT_EQ(length.Movements(), "halo f32[8,32,64]\n");
  const Laid columns(step, {Plan(step, 4).Choose(y, "weight").Store(stored, 0)}, {{next, stored}});
  EXPECT_EQ(columns.Cut(folded), "whole");
  EXPECT_EQ(columns.Movements(), "gather-partials f32[8,32]\n");
}

// [L8] An argument that is a tuple has no place of its own.
TEST(ATupleHasNoPlace) {
  Program p;
  const Arrays like{{0, {64, 128}}, {0, {16}}};
  const Array w =
      p.AddAll("parameter", {}, like, IntegerField(InstructionField::kParameterNumber, 0))[0];
  const Array h = p.Apply("tanh", {p.MatMul(p.Iota({8, 64}, 0), p.Filled(1, {64, 64}))});
  const Array y = p.MatMul(h, w);
  const Step step(p, {y});
  const Laid laid(step, {Plan(step, 4).Choose(y, "weight")});
  EXPECT_EQ(CutText(laid.layouts()[0].wanted[0]), "whole");
  EXPECT_EQ(laid.Cut(y), "dim 1");
}

// [L2] What the backward pass computes again lies as it did the first time.
TEST(RecomputedValuesLieAsTheFirst) {
  Program p;
  Mlp m;
  m.x = p.Input({kBatch, kWidth});
  m.first = p.Input({kWidth, 128});
  m.second = p.Input({128, 16});
  WriteForward(p, &m);
  m.dy = p.Times(m.y, p.Filled(2, m.y.dims));
  const Array again = p.MatMul(p.Barrier(m.x), p.Barrier(m.first));
  const Array loss = p.Sum(p.Times(m.y, m.y), {0, 1});
  m.active = p.Apply("tanh", {again});
  WriteBackward(p, &m);
  const Step step(p, {loss, m.dsecond, m.dfirst});
  const Laid laid(step, {Plan(step, 4).Choose(m.hidden, "weight").Choose(m.y, "contracted")});
  EXPECT_EQ(laid.Cut(again), "dim 1");
  EXPECT_EQ(laid.Cut(m.active), "dim 1");
  EXPECT_EQ(laid.Movements(), "all-reduce f32[8,16]\n");
}

}  // namespace
}  // namespace cfp
