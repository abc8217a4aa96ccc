// How one split meets the factors of one op.
#include "split.h"

#include "rule_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

Rule RuleOf(OneOp* one) {
  Rule rule;
  FillPartitionRule(one->graph(), static_cast<OpId>(one->graph().ops.size()) - 1, &rule);
  return rule;
}

// The split of operand 0, carried to the result as "dim/outer x granule"; "stops" where there is no
// way.
std::string Through(const Rule& rule, const Split& split) {
  const int f = FactorCut(rule, 0, split);
  if (f < 0 || rule.factors[f].kind != FactorKind::kPass || rule.result_site(f).dim < 0) {
    return "stops";
  }
  const Split on = Carry(rule.factors[f], rule.operand_site(f, 0), rule.result_site(f), split);
  return std::to_string(on.dim) + "/" + std::to_string(on.outer) + " x " +
         std::to_string(on.granule);
}

// [B1] A dimension is a list of factors, and a split cuts the most major one: 64 made of 4 heads of
// 16 can be cut into 4 pieces, and the cut lands on the heads.
TEST(ASplitCutsTheMajorFactor) {
  OneOp reshape(Opcode::kReshape, {8, 4, 16}, {{8, 64}});
  const Rule rule = RuleOf(&reshape);
  EXPECT_EQ(Through(rule, {1, 1, 64}), "1/1 x 4");
  EXPECT_EQ(Through(rule, {0, 1, 8}), "0/1 x 8");
}

// [B1] A split inside the 4 heads cuts what each of them is made of.
TEST(ASplitInsideAFactorCutsTheNextOne) {
  OneOp reshape(Opcode::kReshape, {8, 4, 16}, {{8, 64}});
  EXPECT_EQ(Through(RuleOf(&reshape), {1, 4, 16}), "2/1 x 16");
}

// [B1] The way back: heads and head width become one dimension, the heads its major factor.
TEST(MergedFactorsKeepTheirPlace) {
  OneOp merge(Opcode::kReshape, {8, 64}, {{8, 4, 16}});
  const Rule rule = RuleOf(&merge);
  EXPECT_EQ(Through(rule, {1, 1, 4}), "1/1 x 4");
  EXPECT_EQ(Through(rule, {2, 1, 16}), "1/4 x 16");
}

// A split that lies inside a factor of 64, as [3, …] or [2, …]: 2 divides it and leaves 32; 3 does
// not, so there is nothing to cut.
TEST(ASplitInsideAFactorMustDivideIt) {
  OneOp tanh(Opcode::kTanh, {64}, {{64}});
  const Rule rule = RuleOf(&tanh);
  EXPECT_EQ(Through(rule, {0, 2, 64}), "0/2 x 32");
  EXPECT_EQ(Through(rule, {0, 3, 64}), "0/3 x 1");
}

// What was met on the way counts: 6 pieces through a factor of 4 leave 2.
TEST(TheGranuleIsWhatAllFactorsShare) {
  OneOp tanh(Opcode::kTanh, {4}, {{4}});
  EXPECT_EQ(Through(RuleOf(&tanh), {0, 1, 6}), "0/1 x 2");
}

// [B1] A dimension of size 1 has no factor to cut.
TEST(SizeOneHasNoFactor) {
  OneOp tanh(Opcode::kTanh, {1, 8}, {{1, 8}});
  EXPECT_EQ(FactorCut(RuleOf(&tanh), 0, {0, 1, 1}), -1);
}

// The result's side of the same question: from a dimension of the result back to its factor.
TEST(AResultIsCutAtItsOwnFactors) {
  OneOp reshape(Opcode::kReshape, {8, 4, 16}, {{8, 64}});
  const Rule rule = RuleOf(&reshape);
  const int heads = ResultFactorCut(rule, {1, 1, 4}), width = ResultFactorCut(rule, {2, 1, 16});
  EXPECT_EQ(rule.factors[heads].size, 4);
  EXPECT_EQ(rule.factors[width].size, 16);
  EXPECT_EQ(rule.operand_site(width, 0).outer, 4);
  EXPECT_EQ(ResultFactorCut(rule, {2, 16, 1}), -1);
}

}  // namespace
}  // namespace cfp
