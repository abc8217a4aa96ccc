// Plans that cannot be laid out are refused with the reason.
#include "axis_checks.h"

#include "testing.h"
#include "trained_testing.h"

namespace cfp {
namespace {

using namespace testing;

std::string Refusal(const Step& step, const std::vector<Axis>& axes,
                    const std::vector<int>& continues = {}) {
  return ErrorText([&] { LayOut(step.analysis(), axes, continues); });
}

TEST(AxesHaveASize) {
  const TrainedMlp t;
  EXPECT_EQ(Refusal(t.step, {Plan(t.step, 2).axis(), Plan(t.step, 0).axis()}), "axis 1 has size 0");
  EXPECT_EQ(Refusal(t.step, {Plan(t.step, -4).axis()}), "axis 0 has size -4");
  const Axis many = Plan(t.step, int64_t{1} << 62).axis();
  EXPECT_EQ(Refusal(t.step, {many, many}), "axes of more than 2^31 devices");
  EXPECT_EQ(LayOut(t.step.analysis(), {}, {}).size(), 0);
}

TEST(StrategiesCutIntoEqualPieces) {
  const TrainedMlp t;
  EXPECT_EQ(Refusal(t.step, {t.Data(3).axis()}),
            "strategy 0 of block 0 cuts into 8 pieces at most, not into 3");
  EXPECT_EQ(Refusal(t.step, {t.Data(4).axis(), t.Data(4).axis()}),
            "strategy 0 of block 0 cuts into 8 pieces at most, not into 16");
  EXPECT_EQ(LayOut(t.step.analysis(), {t.Data(4).axis(), t.Data(2).axis()}, {}).size(), 2);
}

TEST(EveryBlockHasAStrategyOrNone) {
  const TrainedMlp t;
  Axis axis = Plan(t.step, 2).axis();
  axis.choice = {0, 9};
  EXPECT_EQ(Refusal(t.step, {axis}), "block 1 has no strategy 9");
  axis.choice.pop_back();
  EXPECT_EQ(Refusal(t.step, {axis}), "a layout needs one strategy for each of 2 blocks, not 1");
}

// A place names a dimension that the argument has, and all axes there cut it into equal parts.
TEST(PlacesCutIntoEqualParts) {
  const TrainedMlp t;
  const auto store = [&](int64_t size, int dim, int64_t outer = 1) {
    return Plan(t.step, size).Store(t.m.x, dim, outer).axis();
  };
  EXPECT_EQ(Refusal(t.step, {store(2, 2)}),
            "argument 0, f32[8,64], cannot be stored in 2 parts of dimension 2");
  EXPECT_EQ(Refusal(t.step, {store(2, -2)}),
            "argument 0, f32[8,64], cannot be stored in 2 parts of dimension -2");
  EXPECT_EQ(Refusal(t.step, {store(4, 0), store(2, 1), store(4, 0)}),
            "argument 0, f32[8,64], cannot be stored in 16 parts of dimension 0");
  EXPECT_EQ(Refusal(t.step, {store(2, 1, 3)}),
            "argument 0, f32[8,64], cannot be stored in 2 parts of dimension 1 inside each of 3");
  EXPECT_EQ(Refusal(t.step, {store(2, 1, 0)}),
            "argument 0, f32[8,64], cannot be stored in 2 parts of dimension 1 inside each of 0");
  Axis axis = store(2, 0);
  axis.stored.pop_back();
  EXPECT_EQ(Refusal(t.step, {axis}),
            "a layout needs a place for each of 4 arguments, or for none, not for 3");
}

// Where no place is given on one axis, readers have their say on all of them.
TEST(PlacesAreGivenOnEveryAxisOrOnNone) {
  const TrainedMlp t;
  EXPECT_EQ(Refusal(t.step, {Plan(t.step, 2).axis(), Plan(t.step, 2).Store(t.m.x, 0).axis()}),
            "places are given on every axis or on none");
}

// A result can be the next value of an argument of its own shape.
TEST(ResultsContinueArguments) {
  const TrainedMlp t;
  const std::vector<Axis> axes{Plan(t.step, 2).axis()};
  EXPECT_EQ(Refusal(t.step, axes, {-1, 1, 3, 4}), "result 3 cannot be the next argument 4 of 4");
  EXPECT_EQ(Refusal(t.step, axes, {-2, 1, 3, 2}), "result 0 cannot be the next argument -2 of 4");
  EXPECT_EQ(Refusal(t.step, axes, {-1, 1, 3}), "the step has 4 results, not 3");
  EXPECT_EQ(Refusal(t.step, axes, {0, 1, 3, 2}),
            "result 0, f32[], cannot be the next argument 0, f32[8,64]");
  EXPECT_EQ(LayOut(t.step.analysis(), axes, {-1, 1, 3, 2}).size(), 1);
}

// An argument that the step ignores has no array, but its next value has.
TEST(AnIgnoredArgumentIsCheckedByItsNextValue) {
  Program p;
  const Array x = p.Input({8, 64});
  p.Input({8, 64});
  const Array next = p.Apply("tanh", {x});
  const Step step(p, {next});
  Axis axis = Plan(step, 3).StoreWhole().axis();
  EXPECT_EQ(axis.stored.size(), 2);
  axis.stored[1] = {0, 1, 1};
  EXPECT_EQ(Refusal(step, {axis}, {1}),
            "result 0, f32[8,64], cannot be stored in 3 parts of dimension 0");
}

}  // namespace
}  // namespace cfp
