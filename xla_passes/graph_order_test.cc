// The canonical order, and that nothing but what is computed decides it.
#include "graph_order.h"

#include <algorithm>
#include <random>

#include "graph_testing.h"
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

// The same computation listed in another valid order, under other ids and names.
HloText Shuffled(const HloText& original, uint32_t seed) {
  std::mt19937 random(seed);
  HloText shuffled = original;
  shuffled.instructions.clear();
  shuffled.name_suffix = ".s" + std::to_string(seed);
  std::vector<HloText::Line> waiting = original.instructions;
  std::vector<int64_t> listed;
  while (!waiting.empty()) {
    const size_t pick = random() % waiting.size();
    const auto is_listed = [&](int64_t id) {
      return std::find(listed.begin(), listed.end(), id) != listed.end();
    };
    const Integers& operands = waiting[pick].operands;
    if (!std::all_of(operands.begin(), operands.end(), is_listed)) continue;
    listed.push_back(waiting[pick].id);
    shuffled.instructions.push_back(waiting[pick]);
    waiting.erase(waiting.begin() + static_cast<long>(pick));
  }
  const int64_t factor = 1 + seed % 7, offset = 1000 * seed;  // another numbering, dense or sparse
  const auto renumbered = [&](int64_t id) { return (id & 0xffffffff) * factor + offset; };
  for (HloText::Line& line : shuffled.instructions) {
    line.id = renumbered(line.id);
    for (int64_t& operand : line.operands) operand = renumbered(operand);
  }
  shuffled.root_id = renumbered(original.root_id);
  return shuffled;
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
