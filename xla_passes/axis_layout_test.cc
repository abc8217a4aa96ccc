// How values lie on the axes of a mesh, and what moves.
#include "axis_layout.h"

#include "layout_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// Two matrices, their gradients, and an optimizer that keeps a momentum of the second.
struct TrainedMlp {
  Program p;
  Mlp m = WriteMlp(p);
  Array momentum = p.Input(m.second.dims);
  Array next_first = p.Plus(m.first, p.Times(m.dfirst, p.Filled(0.1F, m.first.dims)));
  Array next_momentum = p.Plus(p.Times(momentum, p.Filled(0.9F, momentum.dims)), m.dsecond);
  Array next_second = p.Plus(m.second, next_momentum);
  Step step{p, {m.loss, next_first, next_momentum, next_second}};
  std::vector<Next> next{{next_first, m.first}, {next_momentum, momentum}, {next_second, m.second}};

  Plan Data() const {
    return Plan(step, 4).Choose(m.hidden, "activation").Choose(m.y, "activation");
  }
  Plan ColumnsThenRows(int64_t size) const {
    return Plan(step, size).Choose(m.hidden, "weight").Choose(m.y, "contracted");
  }
};

// [L1] [L3] [L4] [L8] Columns of the first matrix, rows of the second: one all-reduce forward.
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

// [L3] [L8] Between two layers the pair costs one all-reduce forward and one backward, of the
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

// [L6] [L8] The batch is cut: every weight gradient is summed once, and so is the loss. The data
// lies as it is read.
TEST(DataParallel) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.Data()}, t.next);
  EXPECT_EQ(laid.Movements(), "all-reduce f32[64,128]\nall-reduce f32[128,16]\nall-reduce f32[]\n");
  EXPECT_EQ(laid.Cut(t.m.x), "dim 0");
  EXPECT_EQ(laid.Wanted(t.m.first), "whole");
  EXPECT_EQ(laid.Cut(t.m.y), "dim 0");
  EXPECT_EQ(laid.Cut(t.m.dsecond), "whole");
}

// [L7] [L8] Weights and momentum are stored cut: gathered where they are used, and what is summed
// goes at once to who keeps it.
TEST(StoredCut) {
  const TrainedMlp t;
  const Laid laid(
      t.step,
      {t.Data().Store(t.m.x, 0).Store(t.m.first, 1).Store(t.m.second, 0).Store(t.momentum, 0)},
      t.next);
  EXPECT_EQ(laid.Movements(),
            "all-gather f32[64,128]\nall-gather f32[128,16]\n"
            "reduce-scatter f32[64,128]\nreduce-scatter f32[128,16]\nall-reduce f32[]\n");
  EXPECT_EQ(laid.Use(t.m.hidden, 1), "whole");
  EXPECT_EQ(laid.Cut(t.m.dfirst), "dim 1");
  EXPECT_EQ(laid.Cut(t.next_first), "dim 1");
  EXPECT_EQ(laid.Cut(t.next_second), "dim 0");
}

// [L7] [L8] The momentum alone is stored cut: the gradient is summed in parts, and the updated
// weight is gathered once, as the step's result.
TEST(OptimizerStateStoredCut) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.Data().Store(t.m.x, 0).Store(t.momentum, 0)}, t.next);
  EXPECT_EQ(laid.Movements(),
            "all-reduce f32[64,128]\nreduce-scatter f32[128,16]\nall-reduce f32[]\n"
            "all-gather f32[128,16]\n");
  EXPECT_EQ(laid.Count(MovementKind::kAllGather, t.next_second), 1);
}

// [L6] With places given, what is not named is whole, and readers take their parts of it for
// nothing.
TEST(AWholeArgumentIsReadInParts) {
  const TrainedMlp t;
  const Laid laid(t.step, {t.Data().StoreWhole()}, t.next);
  EXPECT_EQ(laid.Cut(t.m.x), "whole");
  EXPECT_EQ(laid.Wanted(t.m.x), "dim 0");
  EXPECT_EQ(laid.Use(t.m.hidden, 0), "dim 0");
  EXPECT_EQ(laid.Count(MovementKind::kAllGather, t.m.x), 0);
}

// [L8] A value that two blocks want cut at different places goes from one to the other by an
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

// Twelve layers of one stacked weight, their gradients, and the update of the stack.
struct TrainedScan {
  Program p;
  Array x = p.Input({8, 64}), weights = p.Input({12, 64, 64});
  Array dot, row, dinput, drow, saved;
  Array next;

  TrainedScan() {
    const Array stack = p.Filled(0, {12, 8, 64});
    const Arrays forward =
        p.Loop(12, {x, weights, stack}, [&](const Array& trip, const Arrays& carry) {
          row = p.Reshape(p.Row(carry[1], trip), {64, 64});
          dot = p.MatMul(carry[0], row);
          saved = p.WithRow(carry[2], p.Reshape(carry[0], {1, 8, 64}), trip);
          return Arrays{p.Apply("tanh", {dot}), carry[1], saved};
        });
    const Arrays initial{p.Apply("tanh", {forward[0]}), weights, forward[2],
                         p.Filled(0, {12, 64, 64})};
    const Arrays backward = p.Loop(12, initial, [&](const Array& trip, const Arrays& carry) {
      const Array layer = p.Apply("subtract", {p.Integer(11), trip});
      const Array w = p.Reshape(p.Row(carry[1], layer), {64, 64});
      const Array input = p.Reshape(p.Row(carry[2], layer), {8, 64});
      const Array dy = p.Times(carry[0], carry[0]);
      drow = p.WeightGradient(input, dy);
      dinput = p.InputGradient(dy, w);
      return Arrays{dinput, carry[1], carry[2],
                    p.WithRow(carry[3], p.Reshape(drow, {1, 64, 64}), layer)};
    });
    next = p.Plus(weights, backward[3]);
  }
};

// [L5] [L8] In a loop what moves moves once per trip; the stack lies as its rows are used, and the
// state of the loop settles.
TEST(AScanOverLayers) {
  TrainedScan t;
  const Step step(t.p, {t.next});
  const std::vector<Next> next{{t.next, t.weights}};
  const Laid data(step, {Plan(step, 4).Choose(t.dot, "activation")}, next);
  EXPECT_EQ(data.Movements(), "12 x all-reduce f32[64,64]\n");
  EXPECT_EQ(data.Cut(t.x), "dim 0");
  EXPECT_EQ(data.Cut(t.saved), "dim 1");
  EXPECT_EQ(data.Cut(t.dinput), "dim 0");
  const Laid columns(step, {Plan(step, 4).Choose(t.dot, "weight")}, next);
  EXPECT_EQ(columns.Wanted(t.weights), "dim 2");
  EXPECT_EQ(columns.Cut(t.row), "dim 1");
  EXPECT_EQ(columns.Cut(t.drow), "dim 1");
  EXPECT_EQ(columns.Cut(t.next), "dim 2");
  printf("%s\n%s\n", columns.Movements().c_str(), Dump(step.graph()).c_str());
 for (auto& m : columns.layouts()[0].movements) printf("%%%d for %%%d x%ld\n", m.value, m.reader, m.times);
}

// [L6] A bias that is stored cut is gathered before it is broadcast, not as large as the activation
// it is added to; a weight after it was converted to fewer bits. [L9]
TEST(GatheredWhereSmallest) {
  Program p;
  const Array h = p.Apply("tanh", {p.MatMul(p.Input({8, 64}), p.Input({64, 64}))});
  const Array w = p.Input({64, 16}), bias = p.Input({16});
  const Array half = p.Convert(w, DType::kBF16);
  const Array y = p.Dot(p.Convert(h, DType::kBF16), half, {{1}, {0}});
  const Array spread = p.Broadcast(p.Convert(bias, DType::kBF16), {8, 16}, {1});
  const Array biased = p.Plus(y, spread);
  const Step step(p, {biased});
  const Laid laid(step, {Plan(step, 4).Choose(y, "activation").Store(w, 0).Store(bias, 0)});
  printf("%s\n", laid.Movements().c_str());
}

// [L4] Two axes on one dimension leave each as many parts as are left: of 8 rows, 4 go to the first
// axis and 2 to the second; a third one gets none.
TEST(AxesShareADimension) {
  Program p;
  const Array x = p.Input({8, 64});
  const Array y = p.MatMul(x, p.Input({64, 32}));
  const Array sum = p.Plus(p.Input({8, 32}), p.Apply("tanh", {y}));
  const Step step(p, {sum});
  const Plan four = Plan(step, 4).Choose(y, "activation");
  printf("%s\n", step.Strategies(y).c_str());
  const Laid laid(step, {four, Plan(step, 2).Choose(y, "activation"), Plan(step, 2)});
  for (size_t a : {0, 1, 2})
    printf("%s %s\n%s\n", laid.Cut(sum, a).c_str(), laid.Cut(x, a).c_str(),
           laid.Movements(a).c_str());
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
