// The operand edges turned round.
#include "users.h"

#include "graph_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

std::vector<OpId> UsersOf(const Graph& graph, OpId op) {
  const Users users(graph);
  return {users.of(op).begin(), users.of(op).end()};
}

// Users come in the order of the ops, one that reads twice comes twice, a result has none.
TEST(UsersAreTheOperandEdgesTurnedRound) {
  HloText main(1);
  const int64_t x = main.Parameter(0, F32({4}));
  const int64_t square = main.Add("multiply", F32({4}), {x, x});
  main.Add("add", F32({4}), {square, x});
  const Graph graph = Build({main}, 1);  // %0 = x, %1 = square, %2 = add
  EXPECT_EQ(UsersOf(graph, 0), (std::vector<OpId>{1, 1, 2}));
  EXPECT_EQ(UsersOf(graph, 1), (std::vector<OpId>{2}));
  EXPECT_EQ(UsersOf(graph, 2), (std::vector<OpId>{}));
}

// A carry's next value is no operand: the loop reads it, the carry does not.
TEST(ALoopReadsWhatItCarries) {
  const Graph graph = ScanText(1, 12).Built(0);  // %4 = carry, %5 = dot, %6 = tanh, %11 = loop
  EXPECT_EQ(UsersOf(graph, 4), (std::vector<OpId>{5}));
  EXPECT_EQ(UsersOf(graph, 6), (std::vector<OpId>{11}));
}

}  // namespace
}  // namespace cfp
