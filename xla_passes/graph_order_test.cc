// The canonical order, and that nothing but what is computed decides it.
#include "graph_order.h"

#include "graph_testing.h"
#include "shuffle_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

TEST(TheDeeperOperandComesFirst) {
  HloText main(1);
  const std::string f = F32({4, 4});
  const int64_t x = main.Parameter(0, f);
  const int64_t shallow = main.Add("negate", f, {x});
  const int64_t deep = main.Add("dot", f, {x, x}, DotNumbers({1}, {0}));
  main.Add("add", f, {shallow, deep});
  EXPECT_EQ(Text(Build({main}, 1)),
            "%0 = parameter()\n%1 = dot(%0, %0)\n%2 = negate(%0)\n%3 = add(%2, %1)\n");
}

std::vector<uint64_t> Fingerprints(const Graph& graph) {
  std::vector<uint64_t> fingerprints;
  for (const Op& op : graph.ops) fingerprints.push_back(op.fingerprint);
  return fingerprints;
}

TEST(TheOrderDependsOnWhatIsComputedOnly) {
  const ScanText scan(1, 12);
  HloText main = scan.Main(0);
  for (int i = 0; i < 6; ++i) {
    const int64_t left = main.Add(i % 2 == 0 ? "tanh" : "negate", F32({4, 4}), {main.root_id});
    const int64_t right =
        main.Add("dot", F32({4, 4}), {main.instructions[0].id, left}, DotNumbers({1}, {0}));
    main.Add("add", F32({4, 4}), {left, right});
  }
  const Graph expected = Build({scan.body, scan.condition, main}, 9);
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    const Graph graph =
        Build({Shuffled(scan.body, seed), Shuffled(scan.condition, seed), Shuffled(main, seed)}, 9);
    EXPECT_EQ(Text(graph), Text(expected));
    EXPECT_EQ(Fingerprints(graph), Fingerprints(expected));
  }
}

TEST(DeepChainsAreNoProblem) {
  HloText main(1);
  main.Parameter(0, F32({4}));
  for (int i = 0; i < 100000; ++i) main.Add("negate", F32({4}), {main.root_id});
  EXPECT_EQ(Build({main}, 1).ops.size(), 100001u);
}

}  // namespace
}  // namespace cfp
