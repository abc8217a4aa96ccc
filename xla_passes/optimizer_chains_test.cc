// Which ops update parameters and optimizer state.
#include "optimizer_chains.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// [B10.10] Momentum and weight are updated by one chain, named after the least parameter that it
// reads; so is what only the chain reads.
TEST(UpdatesAreTheOptimizer) {
  Program p;
  const Mlp m = WriteMlp(p);  // parameters 0 to 2: x, first, second
  const Array momentum = p.Input(m.first.dims);
  const Integers dims = m.first.dims;
  const Array share = p.Times(m.dfirst, p.Filled(0.1F, dims));
  const Array kept = p.Times(momentum, p.Filled(0.9F, dims));
  const Array moved = p.Plus(kept, share);
  const Array updated = p.Apply("subtract", {m.first, moved});
  const Array other = p.Apply("subtract", {m.second, m.dsecond});
  const Step step(p, {moved, updated, other, m.loss});
  EXPECT_EQ(step.Owner(share), "optimizer 1 [B10.10]");
  EXPECT_EQ(step.Owner(moved), "optimizer 1 [B10.10]");
  EXPECT_EQ(step.Owner(updated), "optimizer 1 [B10.10]");
  EXPECT_EQ(step.Owner(other), "optimizer 2 [B10.10]");
  EXPECT_EQ(step.Owner(kept), "nobody [B10.1]");
  EXPECT_EQ(step.Owner(m.dfirst), "block 0 [B5]");
}

// [B10.10] A gradient that meets a stored array of another shape, or whose result a contraction
// reads, updates nothing.
TEST(NotEveryMeetingIsAnUpdate) {
  Program p;
  const Mlp m = WriteMlp(p);
  const Array shrunk = p.Times(p.Sum(m.dfirst, {0}), p.Filled(2, {128}));
  const Array used = p.Plus(m.first, m.dfirst);
  const Array reader = p.MatMul(p.Input(m.x.dims), used);
  const Step step(p, {m.dsecond, shrunk, reader});
  EXPECT_EQ(step.Owner(shrunk), "block 0 [B10.9]");
  EXPECT_EQ(step.Owner(used), "block 0 [B10.9]");
}

}  // namespace
}  // namespace cfp
