// Loops with their invariants and trip counts, nested loops, branches.
#include <algorithm>

#include "flattener.h"
#include "graph_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

TEST(ALoopIsLaidOutOnceWithoutItsInvariants) {
  const Graph graph = ScanText(1, 12).Built(0);
  EXPECT_EQ(Text(graph),
            "%0 = parameter()\n%1 = parameter()\n%2 = constant()\n"
            "%3 = carry(%2) index 0 next %8 region 1\n%4 = carry(%0) index 1 next %6 region 1\n"
            "%5 = dot(%4, %1) region 1\n%6 = tanh(%5) region 1\n%7 = constant() region 1\n%8 = "
            "add(%3, %7) region 1\n"
            "%9 = constant() region 1\n%10 = compare(%3, %9) region 1\n"
            "%11 = loop(%8, %6, %1)\n%12 = get-tuple-element(%11) index 1\n");
  EXPECT_EQ(graph.regions.size(), 2u);
  EXPECT_EQ(graph.regions[1].owner, 11);
  EXPECT_EQ(graph.regions[1].condition, 10);
  EXPECT_EQ(graph.regions[1].times, 12);
}

TEST(TripCountsAreCounted) {
  const auto trips = [](int64_t start, int64_t step, int64_t limit, std::string_view direction) {
    const Region region = ScanText(step, limit, direction).Built(start).regions[1];
    return region.trip_count_known ? region.trip_count : -1;
  };
  const int64_t never_ends = -1;
  EXPECT_EQ(trips(0, 1, 12, "LT"), 12);
  EXPECT_EQ(trips(3, 4, 12, "LT"), 3);
  EXPECT_EQ(trips(0, 1, 12, "LE"), 13);
  EXPECT_EQ(trips(11, -1, 0, "GE"), 12);
  EXPECT_EQ(trips(11, -2, 0, "GT"), 6);
  EXPECT_EQ(trips(0, 3, 12, "NE"), 4);
  EXPECT_EQ(trips(0, 5, 12, "NE"), never_ends);
  EXPECT_EQ(trips(5, 1, 2, "LT"), 0);
  EXPECT_EQ(trips(0, 0, 2, "LT"), never_ends);
  EXPECT_EQ(trips(0, 1, 12, "EQ"), never_ends);
}

TEST(AKnownTripCountIsTakenFromTheBackendConfig) {
  ScanText scan(0, 12);
  HloText main = scan.Main(0);
  main.instructions[4].fields +=
      BytesField(InstructionField::kBackendConfig, R"({"known_trip_count":{"n":"30"}})");
  EXPECT_EQ(Build({scan.body, scan.condition, main}, 9).regions[1].trip_count, 30);
}

TEST(InvariantsReachThroughNestedLoops) {
  const ScanText inner(1, 3);
  ScanText outer(1, 5);
  outer.body = HloText(3);
  const int64_t carry = outer.body.Parameter(0, outer.state);
  const int64_t i = outer.body.Element(carry, 0, S32({}));
  const int64_t initial =
      outer.body.Add("tuple", outer.state,
                     {outer.body.Constant(0), outer.body.Element(carry, 1, F32({4, 4})),
                      outer.body.Element(carry, 2, F32({4, 4}))});
  const int64_t loop = outer.body.Add("while", outer.state, {initial}, Calls({1, 2}));
  const int64_t next = outer.body.Add("add", S32({}), {i, outer.body.Constant(1)});
  outer.body.Add(
      "tuple", outer.state,
      {next, outer.body.Element(loop, 1, F32({4, 4})), outer.body.Element(loop, 2, F32({4, 4}))});
  outer.condition = HloText(4);
  const int64_t read = outer.condition.Parameter(0, outer.state);
  outer.condition.Add("compare", Pred(),
                      {outer.condition.Constant(5), outer.condition.Element(read, 0, S32({}))},
                      Direction("GT"));
  HloText main = outer.Main(0);
  main.instructions[4].fields = BytesField(InstructionField::kOpcode, "while") +
                                BytesField(InstructionField::kShape, outer.state) + Calls({3, 4});

  const Graph graph = Build({inner.body, inner.condition, outer.body, outer.condition, main}, 9);
  EXPECT_EQ(graph.regions.size(), 3u);
  EXPECT_EQ(graph.regions[1].times, 5);
  EXPECT_EQ(graph.regions[2].parent, 1);
  EXPECT_EQ(graph.regions[2].times, 15);
  const OpId weight = graph.parameters[1];
  const auto is_dot = [](const Op& op) { return op.opcode == Opcode::kDot; };
  const auto dot = std::find_if(graph.ops.begin(), graph.ops.end(), is_dot);
  EXPECT_EQ(dot->region, 2);
  EXPECT_EQ(graph.operands(static_cast<OpId>(dot - graph.ops.begin()))[1], weight);
}

TEST(BranchesAreRegionsWhoseParametersAreTheOperands) {
  HloText negated(1);
  negated.Add("negate", F32({4}), {negated.Parameter(0, F32({4}))});
  HloText kept(2);
  kept.Parameter(0, F32({4}));
  HloText main(3);
  const int64_t selector = main.Parameter(0, Pred());
  const int64_t x = main.Parameter(1, F32({4}));
  main.Add("conditional", F32({4}), {selector, x, x}, Calls({1, 2}));
  const Graph graph = Build({negated, kept, main}, 3);
  EXPECT_EQ(
      Text(graph),
      "%0 = parameter()\n%1 = parameter()\n%2 = negate(%1) region 1\n%3 = branch(%0, %2, %1)\n"
      "%4 = get-tuple-element(%3) index 0\n");
  EXPECT_EQ(graph.regions.size(), 3u);
  EXPECT_EQ(graph.regions[1].kind, Opcode::kBranch);
  EXPECT_EQ(graph.regions[2].owner, 3);
}

TEST(LoopsAndBranchesThatDoNotFitAreErrors) {
  ScanText short_body(1, 12);
  short_body.body.Constant(0);
  EXPECT_THROWS(short_body.Built(0), "while \"i5\" carries 3 values but its body returns 1");
  ScanText reshaping(1, 12);
  reshaping.body.Add(
      "tuple", reshaping.state,
      {reshaping.body.Constant(1), reshaping.body.Constant(2), reshaping.body.Constant(3)});
  EXPECT_THROWS(reshaping.Built(0), "while \"i5\" changes the shape of carry 1");
  HloText scalar(1);
  scalar.Add("constant", F32({}));
  HloText vector(2);
  vector.Add("iota", F32({4}));
  HloText main(3);
  const int64_t selector = main.Parameter(0, Pred());
  main.Add("conditional", F32({}), {selector, selector, selector}, Calls({1, 2}));
  EXPECT_THROWS(Build({scalar, vector, main}, 3), "has branches with different shapes of result 0");
}

TEST(ACarryThatItsBodyOverwritesUnreadStays) {
  ScanText scan(1, 12);
  const int64_t carry = scan.body.instructions[0].id;
  const int64_t step = scan.body.Add("negate", S32({}), {scan.body.Element(carry, 0, S32({}))});
  const int64_t fresh = scan.body.Add("iota", F32({4, 4}));
  scan.body.Add("tuple", scan.state, {step, fresh, fresh});
  HloText main = scan.Main(0);
  main.instructions[0].fields = BytesField(InstructionField::kOpcode, "iota") +
                                BytesField(InstructionField::kShape, F32({4, 4}));
  const Graph graph = Build({scan.body, scan.condition, main}, 9);
  const auto starts_as = [&](Opcode opcode) {
    return std::any_of(graph.ops.begin(), graph.ops.end(), [&](const Op& op) {
      return op.opcode == Opcode::kCarry &&
             graph.ops[graph.operand_pool[op.operands_begin]].opcode == opcode;
    });
  };
  EXPECT_TRUE(starts_as(Opcode::kIota));
  EXPECT_TRUE(starts_as(Opcode::kParameter));
}

}  // namespace
}  // namespace cfp
