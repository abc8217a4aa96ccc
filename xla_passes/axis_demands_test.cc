// What readers would have of a value.
#include "axis_demands.h"

#include "layout_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// The demands of a plan as it stands before anything follows anything.
class Asked {
 public:
  Asked(const Step& step, const Plan& plan, const std::vector<Next>& next = {})
      : step_(step),
        demands_(FindDemands(step.analysis(), DivideForward(step.analysis(), plan.axis().choice),
                             plan.Places(), Continues(step, next))) {}

  std::string Of(const Array& a) const { return CutText(demands_.asked[step_.Op(a)]); }
  bool NeededWhole(const Array& a) const { return demands_.needed_whole[step_.Op(a)]; }
  std::string PartOf(const Array& a) const { return CutText(demands_.PartOf(step_.Op(a))); }

 private:
  const Step& step_;
  Demands demands_;
};

// [L8] A weight is asked for as it is read, also through ops that could be cut as well: here a
// convert and a transpose.
TEST(AReaderAsksThroughWhatGoesBetween) {
  Program p;
  const Array w = p.Input({128, 64});
  const Array converted = p.Convert(w, DType::kF32);
  const Array y = p.MatMul(Stem(p), p.Transpose(converted, {1, 0}));
  const Step step(p, {y});
  const Asked columns(step, Plan(step, 4).Choose(y, "weight"));
  EXPECT_EQ(columns.Of(w), "dim 0");
  EXPECT_EQ(columns.PartOf(w), "dim 0");
  EXPECT_EQ(Asked(step, Plan(step, 4).Choose(y, "contracted")).Of(w), "dim 1");
  EXPECT_EQ(Asked(step, Plan(step, 4)).Of(w), "whole");
}

// [L8] Of two readers that take parts the first one in the program is heard.
TEST(TheFirstReaderIsHeard) {
  Program p;
  const Array w = p.Input({64, 64}), h = p.Apply("tanh", {Stem(p)});
  const Array first = p.MatMul(h, w), second = p.MatMul(p.Apply("tanh", {first}), w);
  const Step step(p, {second});
  const Asked asked(step, Plan(step, 4).Choose(first, "weight").Choose(second, "contracted"));
  EXPECT_EQ(asked.Of(w), "dim 1");
  EXPECT_EQ(asked.PartOf(w), "dim 1");
}

// [L9] A value that one reader needs whole is no part of anything, whoever asks for a part.
TEST(OneReaderThatNeedsAllIsEnough) {
  Program p;
  const Array w = p.Input({64, 64}), h = p.Apply("tanh", {Stem(p)});
  const Array first = p.MatMul(h, w), second = p.MatMul(p.Apply("tanh", {first}), w);
  const Step step(p, {second});
  const Asked asked(step, Plan(step, 4).Choose(first, "weight"));
  EXPECT_EQ(asked.Of(w), "dim 1");
  EXPECT_EQ(asked.PartOf(w), "whole");
}

// [L9] So it is where that reader comes only after ops that keep all they read; what a sum needs
// whole is its result.
TEST(AReaderFurtherOnNeedsAll) {
  Program p;
  const Array first = p.MatMul(p.Apply("tanh", {Stem(p)}), p.Input({64, 64}));
  const Array stored = p.Input({64}), sums = p.Sum(first, {0, 1}), next = p.Plus(stored, sums);
  const Array centered = p.Apply("tanh", {p.Broadcast(sums, first.dims, {2})});
  const Array second = p.MatMul(centered, p.Input({64, 64}));
  const Step step(p, {next, second});
  const Asked asked(step, Plan(step, 4).Choose(second, "weight").Store(stored, 0),
                    {{next, stored}});
  EXPECT_EQ(asked.Of(sums), "dim 0");
  EXPECT_EQ(asked.PartOf(sums), "whole");
  EXPECT_TRUE(!asked.NeededWhole(first));
}

// [L9] So it is where a reader works on something that the value does not have, and where it stands
// behind an op that would be cut where the value has nothing to cut.
TEST(AReaderOfAnotherDimensionNeedsAll) {
  Program p;
  const Array first = p.MatMul(p.Apply("tanh", {Stem(p)}), p.Input({64, 64}));
  const Array second = p.MatMul(first, p.Input({64, 16})), stored = p.Input(first.dims);
  const Array next = p.Plus(stored, first);
  const Array vector = p.Input({64}), spread = p.Broadcast(vector, first.dims, {2});
  const Array other = p.Plus(spread, first), taken = p.Plus(vector, p.Input({64}));
  const Step step(p, {next, second, other, taken});
  const Asked asked(step, Plan(step, 4).Choose(second, "weight").Store(stored, 0),
                    {{next, stored}, {other, stored}});
  EXPECT_EQ(asked.Of(first), "dim 0");
  EXPECT_EQ(asked.PartOf(first), "whole");
  EXPECT_EQ(asked.PartOf(spread), "dim 0");
  EXPECT_TRUE(asked.NeededWhole(vector));
  EXPECT_TRUE(!asked.NeededWhole(spread));
}

// [L9] A result that continues an argument is asked for as the argument is stored, and asks on.
TEST(StorageAsksForResults) {
  Program p;
  const Array momentum = p.Input({64, 128}), gradient = p.Input({64, 128});
  const Array share = p.Times(gradient, p.Filled(0.1F, {64, 128}));
  const Array next = p.Plus(momentum, share);
  const Step step(p, {next});
  const std::vector<Next> continued{{next, momentum}};
  const Asked asked(step, Plan(step, 4).Store(momentum, 0), continued);
  EXPECT_EQ(asked.PartOf(next), "dim 0");
  EXPECT_EQ(asked.PartOf(share), "dim 0");
  EXPECT_EQ(asked.PartOf(gradient), "dim 0");
  const Asked whole(step, Plan(step, 4).StoreWhole(), continued);
  EXPECT_EQ(whole.PartOf(share), "whole");
  EXPECT_EQ(Asked(step, Plan(step, 4).Store(momentum, 0)).PartOf(share), "whole");
}

// [L9] What sums over a dimension, or moves it, does not pass on what it is asked for.
TEST(OnlyWhatCouldBeCutAsksOn) {
  Program p;
  const Array momentum = p.Input({64, 128}), gradient = p.Input({64, 128});
  const Array reversed = p.Reverse(gradient, {0});
  const Array next = p.Plus(momentum, reversed);
  const Step step(p, {next});
  const std::vector<Next> continued{{next, momentum}};
  const Asked rows(step, Plan(step, 4).Store(momentum, 0), continued);
  EXPECT_EQ(rows.Of(reversed), "dim 0");
  EXPECT_EQ(rows.Of(gradient), "whole");
  EXPECT_EQ(Asked(step, Plan(step, 4).Store(momentum, 1), continued).Of(gradient), "dim 1");
}

// [L7] What a loop's body asks of its state it asks of what enters the loop.
TEST(ALoopAsksForWhatEnters) {
  Program p;
  const Array h = p.Input({8, 64}), w = p.Input({64, 64});
  Array y;
  const Array last = p.Loop(4, {h, w}, [&](const Array&, const Arrays& carry) {
    y = p.MatMul(carry[0], carry[1]);
    return Arrays{p.Apply("tanh", {y}), carry[1]};
  })[0];
  const Step step(p, {last});
  const Asked asked(step, Plan(step, 4).Choose(y, "activation"));
  EXPECT_EQ(asked.Of(h), "dim 0");
}

}  // namespace
}  // namespace cfp
