// What calls, tuples and ops become, and what a module must not be. Loops and branches are in
// flatten_regions_test.cc.
#include "flattener.h"

#include "graph_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

TEST(NestedCallsAreInlined) {
  HloText inner(1);
  inner.Add("negate", F32({4}), {inner.Parameter(0, F32({4}))});
  HloText outer(2);
  const int64_t x = outer.Parameter(0, F32({4}));
  const int64_t called = outer.Add("call", F32({4}), {x}, Calls({1}));
  outer.Add("fusion", F32({4}), {called}, Calls({1}));
  HloText main(3);
  main.Add("call", F32({4}), {main.Parameter(0, F32({4}))}, Calls({2}));
  EXPECT_EQ(Text(Build({inner, outer, main}, 3)),
            "%0 = parameter()\n%1 = negate(%0)\n%2 = negate(%1)\n");
}

TEST(TuplesAndBarriersLeaveNothingBehind) {
  HloText main(1);
  const std::string f = F32({4});
  const int64_t a = main.Parameter(0, f);
  const int64_t b = main.Parameter(1, f);
  const int64_t tuple =
      main.Add("tuple", TupleOf({f, TupleOf({f})}), {a, main.Add("tuple", TupleOf({f}), {b})});
  const int64_t barrier = main.Add("opt-barrier", TupleOf({f, TupleOf({f})}), {tuple});
  const int64_t nested = main.Element(barrier, 1, TupleOf({f}));
  const int64_t difference =
      main.Add("subtract", f, {main.Element(nested, 0, f), main.Element(barrier, 0, f)});
  main.Add("tuple", TupleOf({f, TupleOf({f, f})}),
           {difference, main.Add("tuple", TupleOf({f, f}), {a, difference})});
  const Graph graph = Build({main}, 1);
  EXPECT_EQ(Text(graph), "%0 = parameter()\n%1 = parameter()\n%2 = subtract(%1, %0)\n");
  EXPECT_EQ(graph.results, (std::vector<OpId>{2, 0, 2}));
}

TEST(DeadOpsAndParametersAreDropped) {
  HloText main(1);
  const int64_t dead = main.Parameter(0, F32({4}));
  const int64_t live = main.Parameter(1, F32({4}));
  main.Add("negate", F32({4}), {dead});
  main.Add("negate", F32({4}), {live});
  const Graph graph = Build({main}, 1);
  EXPECT_EQ(Text(graph), "%0 = parameter()\n%1 = negate(%0)\n");
  EXPECT_EQ(graph.parameters, (std::vector<OpId>{kNoOp, 0}));
}

TEST(OpsWithSeveralResultsAreReadThroughElements) {
  HloText main(1);
  const std::string pair = TupleOf({F32({4}), S32({4})});
  const int64_t parameter = main.Parameter(0, pair);
  const int64_t sorted = main.Add(
      "sort", pair, {main.Element(parameter, 1, S32({4})), main.Element(parameter, 0, F32({4}))});
  main.Add("negate", S32({4}), {main.Element(sorted, 1, S32({4}))});
  EXPECT_EQ(
      Text(Build({main}, 1)),
      "%0 = parameter()\n%1 = get-tuple-element(%0) index 1\n%2 = get-tuple-element(%0) index 0\n"
      "%3 = sort(%1, %2)\n%4 = get-tuple-element(%3) index 1\n%5 = negate(%4)\n");
}

TEST(CallsThatMultiplyAreStopped) {
  std::vector<HloText> computations;
  computations.emplace_back(0);
  computations[0].Add("negate", F32({4}), {computations[0].Parameter(0, F32({4}))});
  for (int64_t id = 1; id < 64; ++id) {
    HloText twice(id);
    const int64_t once =
        twice.Add("call", F32({4}), {twice.Parameter(0, F32({4}))}, Calls({id - 1}));
    twice.Add("call", F32({4}), {once}, Calls({id - 1}));
    computations.push_back(twice);
  }
  EXPECT_THROWS(Build(computations, 63),
                "with its calls inlined the module has more than 4 million ops");
}

TEST(CallsWithTheWrongArgumentsAreErrors) {
  HloText main(9);
  const int64_t x = main.Parameter(0, F32({}));
  main.Add("call", F32({}), {x}, Calls({1}));
  EXPECT_THROWS(Build({Binary(1, "add"), main}, 9),
                "parameter \"i2\" is parameter 1 of a computation called with 1 arguments");
  HloText element(1);
  element.Element(element.Parameter(0, TupleOf({F32({})})), 1, F32({}));
  EXPECT_THROWS(Build({element}, 1), "get-tuple-element \"i2\" takes element 1 of a tuple of 1");
}

TEST(OpsMustHaveTheirOperands) {
  HloText main(1);
  const int64_t x = main.Parameter(0, F32({4}));
  main.Add("dot", F32({}), {x});
  EXPECT_THROWS(Build({main}, 1), "HLO: dot \"i2\" has 1 operands, expected 2");
  HloText scatter(1);
  scatter.Add("scatter", F32({}), {scatter.Parameter(0, F32({4}))});
  EXPECT_THROWS(Build({scatter}, 1), "has 1 operands, expected at least 3");
}

}  // namespace
}  // namespace cfp
