// What forward ops work on once every block has its strategy.
#include "forward_work.h"

#include "layout_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

class Works {
 public:
  Works(const Step& step, const Plan& plan)
      : step_(step), works_(DivideForward(step.analysis(), plan.axis().choice)) {}

  // "dim 2" for what cuts its result there, "sum" for what works on what it sums over, "whole" for
  // what is decided to be so; "follows" where no strategy speaks of it.
  std::string On(const Array& a) const {
    const OpId op = step_.Op(a);
    if (!works_.decided[op]) return "follows";
    const Work& work = works_.of[op];
    if (work.factor < 0) return "whole";
    Rule rule;
    FillPartitionRule(step_.graph(), op, &rule);
    const Site& site = rule.result_site(work.factor);
    if (site.dim < 0) return "sum";
    return CutText(SplitAt(rule.factors[work.factor], site, work.within));
  }

 private:
  const Step& step_;
  ForwardWorks works_;
};

// [L1] A strategy speaks of the ops that its class reaches; of a block that is whole it speaks of
// the contractions alone. A normalisation that the class does not reach follows what it reads.
TEST(AStrategySpeaksOfWhatItReaches) {
  Program p;
  const Array norm = Norm(p, Stem(p)), y = p.MatMul(norm, p.Input({64, 128}));
  const Array active = p.Apply("tanh", {y});
  const Step step(p, {active});
  const Works columns(step, Plan(step, 4).Choose(y, "weight"));
  EXPECT_EQ(columns.On(y), "dim 2");
  EXPECT_EQ(columns.On(active), "dim 2");
  EXPECT_EQ(columns.On(norm), "follows");
  const Works contracted(step, Plan(step, 4).Choose(y, "contracted"));
  EXPECT_EQ(contracted.On(y), "sum");
  EXPECT_EQ(contracted.On(norm), "dim 2");
  EXPECT_EQ(contracted.On(active), "follows");
  const Works whole(step, Plan(step, 4));
  EXPECT_EQ(whole.On(y), "whole");
  EXPECT_EQ(whole.On(active), "follows");
}

// [L1] A contraction of the block that the class does not reach is whole: an output projection's
// columns leave q, k and v to every device.
TEST(AContractionThatIsNotReachedIsWhole) {
  Program p;
  const Attention a = WriteAttention(p, Stem(p), 4);
  const Step step(p, {a.out});
  const Works heads(step, Plan(step, 2).Choose(a.q, "weight"));
  for (const Array& reached : {a.q, a.k, a.v}) EXPECT_EQ(heads.On(reached), "dim 2");
  EXPECT_EQ(heads.On(a.scores), "dim 1");
  EXPECT_EQ(heads.On(a.out), "whole");
  const Works contracted(step, Plan(step, 2).Choose(a.q, "contracted"));
  EXPECT_EQ(contracted.On(a.v), "sum");
  EXPECT_EQ(contracted.On(a.mixed), "whole");
}

// [L1] A projection that is sliced apart downstream is cut inside each of its parts.
TEST(AFusedProjectionWorksInsideItsParts) {
  Program p;
  const Array fused = p.MatMul(Stem(p), p.Input({64, 128}));
  const Array gate = p.Slice(fused, 2, 0, 64), up = p.Slice(fused, 2, 64, 128);
  const Step step(p, {p.Times(gate, up)});
  const Works columns(step, Plan(step, 4).Choose(fused, "weight"));
  EXPECT_EQ(columns.On(fused), "dim 2/2");
  EXPECT_EQ(columns.On(gate), "dim 2");
}

// Two layers of cross attention, whose queries come from what the last one made and whose keys from
// one encoder, of equal lengths. Whichever is deeper is listed first: in the first layer the keys,
// in the second the queries.
struct CrossAttention {
  Program p;
  Array query[2], key[2], scores[2], h;

  CrossAttention() {
    const Array encoded = p.Apply("tanh", {p.MatMul(Stem(p), p.Input({kWidth, kWidth}))});
    h = p.Apply("tanh", {Stem(p)});
    for (int i = 0; i < 2; ++i) {
      query[i] = p.MatMul(h, p.Input({kWidth, kWidth}));
      key[i] = p.MatMul(encoded, p.Input({kWidth, kWidth}));
      scores[i] =
          p.Dot(WriteHeads(p, query[i], 4), WriteHeads(p, key[i], 4), {{3}, {3}}, {{0, 2}, {0, 2}});
      const Array mixed =
          p.Dot(Softmax(p, scores[i]), WriteHeads(p, key[i], 4), {{3}, {1}}, {{0, 1}, {0, 2}});
      h = p.Reshape(p.Transpose(mixed, {0, 2, 1, 3}), {kBatch, kSequence, kWidth});
    }
  }
};

// [L1] Blocks that are alike do the same op by op, in whatever order their ops are listed.
TEST(AlikeBlocksDoTheSame) {
  CrossAttention layers;
  const Step step(layers.p, {layers.h});
  EXPECT_TRUE(step.Alike(layers.scores[0], layers.scores[1]));
  EXPECT_TRUE(step.Op(layers.key[0]) < step.Op(layers.query[0]));
  EXPECT_TRUE(step.Op(layers.query[1]) < step.Op(layers.key[1]));
  const std::vector<Strategy>& strategies = step.StrategiesOf(layers.scores[0]).list;
  for (size_t s = 0; s < strategies.size(); ++s) {
    Plan plan(step, 2);
    for (const Array& scores : layers.scores) plan.ChooseNumber(scores, static_cast<int>(s));
    const Works works(step, plan);
    for (const auto& array : {layers.query, layers.key, layers.scores})
      EXPECT_EQ(works.On(array[1]), works.On(array[0]));
  }
}

// [L2] What is computed again does as the first computation.
TEST(RecomputedOpsDoAsTheFirst) {
  Program p;
  const Array h = Stem(p), w = p.Input({64, 128});
  const Array y = p.MatMul(h, w), active = p.Apply("tanh", {y});
  const Array again = p.MatMul(p.Barrier(h), p.Barrier(w));
  const Array active_again = p.Apply("tanh", {again});
  const Array whole = p.Apply("exponential", {again});
  const Step step(p, {active, active_again, whole});
  EXPECT_EQ(step.Number(active_again), step.Op(active));
  const Works columns(step, Plan(step, 4).Choose(y, "weight"));
  EXPECT_EQ(columns.On(again), "dim 2");
  EXPECT_EQ(columns.On(active_again), "dim 2");
}

TEST(AChoiceThatIsNoneIsRefused) {
  Program p;
  const Array y = p.MatMul(Stem(p), p.Input({64, 128}));
  const Step step(p, {y});
  EXPECT_EQ(ErrorText([&] { DivideForward(step.analysis(), {0}); }),
            "a layout needs one strategy for each of 2 blocks, not 1");
  EXPECT_EQ(ErrorText([&] { DivideForward(step.analysis(), {kWhole, 4}); }),
            "block 1 has no strategy 4");
  EXPECT_EQ(ErrorText([&] { DivideForward(step.analysis(), {-2, kWhole}); }),
            "block 0 has no strategy -2");
}

}  // namespace
}  // namespace cfp
