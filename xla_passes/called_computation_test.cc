// Which computations count as one op of their arguments, and what makes two of them equal.
#include "called_computation.h"

#include "graph_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

Combiner CombinerOfReduce(const HloText& to_apply) {
  HloText main(9);
  const int64_t x = main.Parameter(0, F32({4}));
  main.Add("reduce", F32({}), {x, main.Add("constant", F32({}))}, Calls({1}));
  const Graph graph = Build({to_apply, main}, 9);
  return graph.ops[graph.results[0]].combiner;
}

TEST(CombinersAreRecognised) {
  EXPECT_EQ(CombinerOfReduce(Binary(1, "add")), Combiner::kAdd);
  EXPECT_EQ(CombinerOfReduce(Binary(1, "maximum")), Combiner::kMaximum);
  EXPECT_EQ(CombinerOfReduce(Binary(1, "subtract")), Combiner::kOther);

  HloText wide(1);
  const auto widened = [&](int64_t number) {
    return wide.Add("convert", F32({}), {wide.Parameter(number, ArrayShape(DType::kBF16, {}))});
  };
  const int64_t left = widened(0);
  const int64_t right = widened(1);
  wide.Add("convert", ArrayShape(DType::kBF16, {}), {wide.Add("add", F32({}), {left, right})});
  EXPECT_EQ(CombinerOfReduce(wide), Combiner::kAdd);

  HloText twice(1);
  const int64_t a = twice.Parameter(0, F32({}));
  twice.Parameter(1, F32({}));
  twice.Add("add", F32({}), {a, a});
  EXPECT_EQ(CombinerOfReduce(twice), Combiner::kOther);
}

TEST(CalledComputationsCountByWhatTheyCompute) {
  const auto fingerprint = [](HloText to_apply, const std::string& suffix) {
    to_apply.name_suffix = suffix;
    HloText main(9);
    const int64_t x = main.Parameter(0, F32({4}));
    main.Add("reduce", F32({}), {x, main.Add("constant", F32({}))}, Calls({1}));
    const Graph graph = Build({to_apply, main}, 9);
    return graph.ops[graph.results[0]].fingerprint;
  };
  EXPECT_EQ(fingerprint(Binary(1, "add"), ""), fingerprint(Binary(1, "add"), ".renamed"));
  EXPECT_TRUE(fingerprint(Binary(1, "add"), "") != fingerprint(Binary(1, "multiply"), ""));

  HloText swapped(1);
  const int64_t a = swapped.Parameter(0, F32({}));
  const int64_t b = swapped.Parameter(1, F32({}));
  swapped.Add("subtract", F32({}), {b, a});
  EXPECT_TRUE(fingerprint(Binary(1, "subtract"), "") != fingerprint(swapped, ""));
}

}  // namespace
}  // namespace cfp
