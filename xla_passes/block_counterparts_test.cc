// Which ops of two alike blocks correspond.
#include "block_counterparts.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// Per array of one block, whether it has the array at the same place of `to` as counterpart.
std::vector<bool> Correspond(const Step& step, const Arrays& from, const Arrays& to) {
  const Analysis& a = step.analysis();
  const auto view = [&](const Array& array) {
    return BlockView(a.graph, a.numbers, a.contractions, a.grouping, a.blocks, step.Block(array));
  };
  const auto found = Counterparts(view(from[0]), view(to[0]));
  std::vector<bool> same;
  for (size_t i = 0; i < from.size(); ++i) {
    const auto it = found.find(step.Op(from[i]));
    same.push_back(it != found.end() && it->second == step.Op(to[i]));
  }
  return same;
}

// A gate and what it gates, `read_first` of them listed first in its block.
struct Gated {
  Array gate, up, both;
};

Gated WriteGated(Program& p) {
  const Array h = p.Apply("tanh", {p.MatMul(p.Input({8, 64}), p.Input({64, 64}))});
  Gated g;
  g.gate = p.MatMul(h, p.Input({64, 48}));
  g.up = p.MatMul(h, p.Input({64, 48}));
  g.both = p.Apply("power", {g.gate, g.up});
  return g;
}

// Two ops that compute the same shape are told apart by who reads them where.
TEST(TheOrderOfListingDoesNotCount) {
  Program p;
  const Gated one = WriteGated(p), other = WriteGated(p);
  const Step step(p, {one.both, other.up, other.both});
  EXPECT_TRUE(step.Op(one.gate) < step.Op(one.up));
  EXPECT_TRUE(step.Op(other.up) < step.Op(other.gate));
  EXPECT_EQ(Correspond(step, {one.both, one.gate, one.up}, {other.both, other.gate, other.up}),
            (std::vector<bool>{true, true, true}));
}

// What one of the blocks computes beside has no counterpart, and takes none from the others: the
// hyperbolic tangent of one factor could be that of the other.
TEST(WhatOnlyOneComputesHasNone) {
  Program p;
  const Gated one = WriteGated(p), other = WriteGated(p);
  const Array of_gate = p.Apply("tanh", {one.gate}), of_up = p.Apply("tanh", {other.up});
  const Array more = p.Apply("exponential", {other.up});
  const Array of_other_gate = p.Apply("exponential", {other.gate});
  const Step step(p, {of_gate, one.both, of_up, more, of_other_gate, other.both});
  EXPECT_EQ(Correspond(step, {one.both, one.gate, one.up, of_gate, of_gate},
                       {other.both, other.gate, other.up, of_up, of_other_gate}),
            (std::vector<bool>{true, true, true, false, false}));
}

}  // namespace
}  // namespace cfp
