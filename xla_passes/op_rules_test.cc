// Rules that many ops share are the rules of each of them.
#include "op_rules.h"

#include "rule_text.h"
#include "testing.h"
#include "trained_testing.h"

namespace cfp {
namespace {

using namespace testing;

// The ops whose shared rule is not their own.
Integers Mistaken(const Graph& graph) {
  const OpRules rules(graph);
  Integers mistaken;
  Rule own;
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    FillPartitionRule(graph, op, &own);
    if (RuleText(own) != RuleText(rules.of(op))) mistaken.push_back(op);
  }
  return mistaken;
}

TEST(EveryOpHasItsOwnRule) {
  EXPECT_EQ(Mistaken(TrainedMlp().step.graph()), Integers{});
  EXPECT_EQ(Mistaken(TrainedScan().step.graph()), Integers{});
}

// Of one opcode and one result, but of operands that differ in shape, or in width.
TEST(OperandsCount) {
  Program p;
  const Array turned = p.Transpose(p.MatMul(p.Input({8, 64}), p.Input({64, 8})), {1, 0});
  const Array longer = p.MatMul(p.Input({8, 32}), p.Input({32, 8}));
  const auto convert = [&](const Integers& dims, DType dtype) {
    return p.Add("bitcast-convert", {p.Input(dims, dtype)}, {8, 2}, "", DType::kU32);
  };
  const Array same = convert({8, 2}, DType::kF32), wider = convert({8}, DType::kU64);
  const Array narrow = convert({8, 2}, DType::kU64);  // no such op; its rule says so
  const Step step(p, {turned, longer, same, wider, narrow});
  EXPECT_EQ(Mistaken(step.graph()), Integers{});
}

// Parts of a loop's state pass, those of another tuple only if they are as wide as it is.
TEST(PartsOfTuplesCount) {
  Program p;
  const Array x = p.Input({8, 16}), scale = p.Input({16});
  const Arrays normal = p.AddAll("batch-norm-training", {x, scale, scale}, {x, scale, scale});
  const Arrays looped = p.Loop(4, {x, scale}, [&](const Array&, const Arrays& carry) {
    return Arrays{p.Apply("tanh", {carry[0]}), p.Apply("tanh", {carry[1]})};
  });
  const Array both = p.Plus(normal[1], looped[1]);
  const Step step(p, {both, normal[0], looped[0]});
  EXPECT_EQ(Mistaken(step.graph()), Integers{});
}

// Layers share their rules.
TEST(EachKindOfOpOnce) {
  const auto distinct = [](int layers) {
    Program p;
    Array h = p.Input({8, 64});
    for (int i = 0; i < layers; ++i) h = p.Apply("tanh", {p.MatMul(h, p.Input({64, 64}))});
    return OpRules(Step(p, {h}).graph()).distinct();
  };
  EXPECT_EQ(distinct(20), distinct(1));
}

}  // namespace
}  // namespace cfp
