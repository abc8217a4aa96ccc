// Which contractions a value depends on.
#include "ancestor_sets.h"

#include "analysis_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// More contractions than one word of the bit sets holds: every one knows all before it and none
// after.
TEST(AncestorsOfALongChain) {
  Program p;
  Array x = p.Input({8, 64});
  Arrays chain;
  for (int i = 0; i < 150; ++i) chain.push_back(x = p.MatMul(x, p.Input({64, 64})));
  const Step step(p, {x});
  const AncestorSets& ancestors = step.analysis().contractions.ancestors;
  for (const size_t i : {0u, 63u, 64u, 149u}) {
    for (const size_t j : {0u, 63u, 64u, 128u, 149u}) {
      EXPECT_EQ(ancestors.Contains(step.Op(chain[i]), step.Contraction(chain[j])), j <= i);
    }
  }
}

}  // namespace
}  // namespace cfp
