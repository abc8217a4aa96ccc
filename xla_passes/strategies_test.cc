// The strategies of a block: what may be cut together, how finely, and what that communicates.
#include "strategies.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

TEST(AMatrix) {
  Program p;
  const Array h = Stem(p);
  const Array y = p.MatMul(h, p.Input({64, 128}));
  const Step step(p, {p.Apply("tanh", {y})});
  EXPECT_EQ(step.Strategies(y), "");
}
TEST(AttentionS) {
  Program p;
  const Attention a = WriteAttention(p, Stem(p), 4);
  const Step step(p, {a.out});
  EXPECT_EQ(step.Strategies(a.q), "");
}
TEST(OneHead) {
  Program p;
  const Attention a = WriteAttention(p, Stem(p), 1);
  const Step step(p, {a.out});
  EXPECT_EQ(step.Strategies(a.q), "");
  EXPECT_EQ(step.Strategies(a.v), "");
}
}  // namespace
}  // namespace cfp
