// Which ops compute one value, and which arrays are one array seen differently.
#include "value_numbers.h"

#include "analysis_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

bool SameNumber(Program* p, const Array& a, const Array& b) {
  const Step step(*p, {a, b});
  return step.Number(a) == step.Number(b);
}

// [B9] A value computed again behind an optimisation barrier (remat) has the number of the first.
TEST(RecomputationHasTheNumberOfTheFirst) {
  Program p;
  const Array x = p.Input({8, 64}), w = p.Input({64, 128});
  const Array first = p.Apply("tanh", {p.MatMul(x, w)});
  const Array again = p.Apply("tanh", {p.MatMul(p.Barrier(x), w)});
  EXPECT_TRUE(SameNumber(&p, first, again));
}

// What differs in an attribute, a constant, an operand or the order of operands is another value.
TEST(OtherValuesHaveOtherNumbers) {
  Program p;
  const Array x = p.Input({8, 8}), y = p.Input({8, 8});
  EXPECT_TRUE(!SameNumber(&p, p.Dot(x, y, {{1}, {0}}), p.Dot(x, y, {{1}, {1}})));
  EXPECT_TRUE(!SameNumber(&p, p.Filled(1, {8}), p.Filled(2, {8})));
  EXPECT_TRUE(!SameNumber(&p, p.Apply("tanh", {x}), p.Apply("tanh", {y})));
  EXPECT_TRUE(!SameNumber(&p, p.Apply("subtract", {x, y}), p.Apply("subtract", {y, x})));
  EXPECT_TRUE(!SameNumber(&p, x, y));
}

// [B9] What a recomputation leaves out because it is zero does not make it another value; adding a
// one does, and so does subtracting from zero.
TEST(AddingZeroChangesNothing) {
  Program p;
  const Array x = p.Input({8}), zero = p.Convert(p.Filled(0, {8}), DType::kF32);
  EXPECT_TRUE(SameNumber(&p, p.Apply("tanh", {x}), p.Apply("tanh", {p.Plus(zero, x)})));
  EXPECT_TRUE(SameNumber(&p, x, p.Apply("subtract", {x, zero})));
  EXPECT_TRUE(!SameNumber(&p, x, p.Apply("subtract", {zero, x})));
  EXPECT_TRUE(!SameNumber(&p, x, p.Plus(x, p.Filled(1, {8}))));
}

// [B9] Reshapes in between do not count, and back to the first shape they are nothing.
TEST(OnlyTheLastReshapeCounts) {
  Program p;
  const Array x = p.Input({8, 64});
  const Array heads = p.Reshape(x, {8, 4, 16});
  EXPECT_TRUE(SameNumber(&p, heads, p.Reshape(p.Reshape(x, {512}), {8, 4, 16})));
  EXPECT_TRUE(SameNumber(&p, x, p.Reshape(heads, {8, 64})));
  EXPECT_TRUE(!SameNumber(&p, heads, p.Reshape(x, {8, 16, 4})));
  // A broadcast that adds a dimension of size 1 is a reshape; one that repeats is not.
  EXPECT_TRUE(SameNumber(&p, p.Broadcast(x, {1, 8, 64}, {1, 2}), p.Reshape(x, {1, 8, 64})));
  EXPECT_TRUE(!SameNumber(&p, x, p.Broadcast(x, {2, 8, 64}, {1, 2})));
}

// The residuals y of a forward loop, stacked row by row and read back in a second loop.
struct StackedResiduals {
  Program p;
  Array y, read;
  explicit StackedResiduals(const char* update = "tanh") {
    const Array x = p.Input({8, 64}), w = p.Input({64, 64});
    const Arrays forward =
        p.Loop(12, {x, w, p.Filled(0, {12, 8, 64})}, [&](const Array& trip, const Arrays& carry) {
          y = p.Reshape(p.Apply(update, {p.MatMul(carry[0], carry[1])}), {1, 8, 64});
          return Arrays{p.Reshape(y, {8, 64}), carry[1], p.WithRow(carry[2], y, trip)};
        });
    results = p.Loop(12, {forward[0], forward[2]}, [&](const Array& trip, const Arrays& carry) {
      read = p.Row(carry[1], trip);
      return Arrays{p.Plus(carry[0], p.Reshape(read, {8, 64})), carry[1]};
    });
  }
  Arrays results;
};

// [B9] What a loop stacks and another loop reads back row by row is the value that was stacked.
TEST(StackedResidualsAreSeenThrough) {
  StackedResiduals residuals;
  const Step step(residuals.p, residuals.results);
  EXPECT_EQ(UnstackedResidual(step.graph(), step.Op(residuals.read)), step.Op(residuals.y));
  EXPECT_EQ(step.Number(residuals.read), step.Number(residuals.y));
}

// The rows of an array that no loop has stacked are not a residual, and neither are other slices.
TEST(OtherRowsAreNoResiduals) {
  Program p;
  const Array stack = p.Input({12, 8}), trip = p.Input({}, DType::kS32);
  const Array row = p.Row(stack, trip), part = p.Slice(stack, 0, 3, 4);
  const Step step(p, {row, part});
  EXPECT_EQ(UnstackedResidual(step.graph(), step.Op(row)), kNoOp);
  EXPECT_EQ(UnstackedResidual(step.graph(), step.Op(part)), kNoOp);
}

// [B9] The layer weights of two loops, forward in order and backward in reverse order, are told by
// the array they are rows of: both trips see "the row of W".
TEST(RowsOfAnInvariantArrayAreOneValue) {
  Program p;
  const Array x = p.Input({8, 64}), stacked = p.Input({12, 64, 64}), other = p.Input({12, 64, 64});
  Array ahead, back, not_it;
  const Arrays forward = p.Loop(12, {x, stacked}, [&](const Array& trip, const Arrays& carry) {
    ahead = p.Row(carry[1], trip);
    return Arrays{p.MatMul(carry[0], p.Reshape(ahead, {64, 64})), carry[1]};
  });
  const Arrays backward =
      p.Loop(12, {forward[0], stacked, other}, [&](const Array& trip, const Arrays& carry) {
        const Array from_the_end = p.Apply("subtract", {p.Integer(11), trip});
        back = p.Row(carry[1], from_the_end);
        not_it = p.Row(carry[2], from_the_end);
        const Array y = p.MatMul(carry[0], p.Reshape(back, {64, 64}));
        return Arrays{p.MatMul(y, p.Reshape(not_it, {64, 64})), carry[1], carry[2]};
      });
  const Step step(p, backward);
  EXPECT_EQ(step.Number(ahead), step.Number(back));
  EXPECT_TRUE(step.Number(ahead) != step.Number(not_it));
}

// The dimensions of the base behind those of `array`, after "%base: "; -1 for size 1.
std::string PeeledText(Program* p, const Array& array, const Array& base) {
  const Step step(*p, {array, base});
  const Peeled peeled = Peel(step.graph(), step.analysis().numbers, step.Op(array));
  if (peeled.base != step.Op(base)) return "another base";
  std::string text;
  for (int i = 0; i < peeled.rank; ++i) text += " " + std::to_string(peeled.dim[i]);
  return text;
}

// [B9] An array is seen through transposes, converts, reverses and dimensions of size 1, and its
// dimensions are followed to those of the base.
TEST(ViewsArePeeled) {
  Program p;
  const Array x = p.Input({8, 32, 64});
  EXPECT_EQ(PeeledText(&p, x, x), " 0 1 2");
  EXPECT_EQ(PeeledText(&p, p.Transpose(x, {2, 0, 1}), x), " 2 0 1");
  EXPECT_EQ(PeeledText(&p, p.Transpose(p.Transpose(x, {2, 0, 1}), {1, 0, 2}), x), " 0 2 1");
  EXPECT_EQ(PeeledText(&p, p.Convert(x, DType::kBF16), x), " 0 1 2");
  EXPECT_EQ(PeeledText(&p, p.Reverse(x, {1}), x), " 0 1 2");
  EXPECT_EQ(PeeledText(&p, p.Reshape(p.Transpose(x, {1, 0, 2}), {32, 1, 8, 64}), x), " 1 -1 0 2");
}

// What mixes dimensions or values is another array.
TEST(OtherOpsAreNotPeeled) {
  Program p;
  const Array x = p.Input({8, 32, 64});
  EXPECT_EQ(PeeledText(&p, p.Reshape(x, {256, 64}), x), "another base");
  EXPECT_EQ(PeeledText(&p, p.Apply("negate", {x}), x), "another base");
  EXPECT_EQ(PeeledText(&p, p.Broadcast(x, {2, 8, 32, 64}, {1, 2, 3}), x), "another base");
}

}  // namespace
}  // namespace cfp
