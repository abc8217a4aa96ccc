// One block as a module of its own: what it holds, what it is given, and how everything lies.
#include "block_module.h"

#include "analysis_testing.h"
#include "hlo_error.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// "dim 1 in 2" for {devices=[1,2]0,1}, "whole" for {replicated}, "unsaid" where there is no
// sharding.
std::string Layout(const Instruction& instruction) {
  WireReader reader(instruction.wire);
  for (WireField field; reader.Next(&field);) {
    if (field.number != InstructionField::kSharding) continue;
    std::vector<int64_t> tiles;
    WireReader sharding(field.bytes);
    for (WireField part; sharding.Next(&part);) {
      if (part.number == 3) sharding.AppendIntegers(part, &tiles);
    }
    for (size_t d = 0; d < tiles.size(); ++d) {
      if (tiles[d] > 1) return "dim " + std::to_string(d) + " in " + std::to_string(tiles[d]);
    }
    return "whole";
  }
  return "unsaid";
}

// The entry computation but for its root, one instruction a line: "dot f32[8,128] dim 1 in 4".
std::string Lines(const std::string& bytes) {
  const HloModule module = ReadHloModule(bytes);
  const Computation& entry = module.computations.back();
  std::string text;
  for (uint32_t i = entry.begin; i + 1 < entry.end; ++i) {
    const Instruction& instruction = module.instructions[i];
    text += std::string(instruction.opcode_text) + " " + ShapeText(module, instruction.shape) +
            " " + Layout(instruction) + "\n";
  }
  return text;
}

// The block of `a` under its first strategy that starts as `origin` says.
std::string LinesOf(const Step& step, const Array& a, Origin origin, int pieces) {
  const std::vector<Strategy>& list = step.StrategiesOf(a).list;
  for (size_t s = 0; s < list.size(); ++s) {
    if (list[s].origin != origin) continue;
    return Lines(BlockModule(step.analysis(), step.Block(a), static_cast<int>(s), pieces));
  }
  return "no such strategy";
}

// The block of `a` in two pieces, where its strategy forks and keeps operand `variant`.
std::string WithVariant(const Step& step, const Array& a, int variant) {
  const std::vector<Strategy>& list = step.StrategiesOf(a).list;
  for (size_t s = 0; s < list.size(); ++s) {
    if (list[s].variant != variant) continue;
    return BlockModule(step.analysis(), step.Block(a), static_cast<int>(s), 2);
  }
  throw std::logic_error("no strategy forks");
}

int CountOf(const std::string& text, const std::string& line) {
  int count = 0;
  for (size_t at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) ++count;
  return count;
}

// y = (h · w + bias) * 2, h from another block.
struct Projection {
  Program p;
  Array h = Stem(p);
  Array product = p.MatMul(h, p.Input({kWidth, 128}));
  Array biased = p.Plus(product, p.Broadcast(p.Input({128}), product.dims, {2}));
  Array y = p.Times(biased, p.Filled(2, biased.dims));
  Step step{p, {y}};
};

TEST(ASplitOfTheWeightCutsWhatFollows) {
  const Projection projection;
  EXPECT_EQ(LinesOf(projection.step, projection.y, Origin::kWeight, 4),
            "parameter f32[8,32,64] whole\n"
            "parameter f32[64,128] dim 1 in 4\n"
            "dot f32[8,32,128] dim 2 in 4\n"
            "parameter f32[128] dim 0 in 4\n"
            "broadcast f32[8,32,128] dim 2 in 4\n"
            "add f32[8,32,128] dim 2 in 4\n"
            "constant f32[] whole\n"
            "broadcast f32[8,32,128] dim 2 in 4\n"
            "multiply f32[8,32,128] dim 2 in 4\n");
}

TEST(WhatIsSummedIsWholeAfterwards) {
  const Projection projection;
  EXPECT_EQ(LinesOf(projection.step, projection.y, Origin::kContracted, 8),
            "parameter f32[8,32,64] dim 2 in 8\n"
            "parameter f32[64,128] dim 0 in 8\n"
            "dot f32[8,32,128] whole\n"
            "parameter f32[128] whole\n"
            "broadcast f32[8,32,128] whole\n"
            "add f32[8,32,128] whole\n"
            "constant f32[] whole\n"
            "broadcast f32[8,32,128] whole\n"
            "multiply f32[8,32,128] whole\n");
}

// What hangs on integers from outside is given, not computed: `shifted` is a parameter.
TEST(TokensAreGiven) {
  Program p;
  const Array tokens = p.Input({kBatch, kSequence}, DType::kS32);
  const Array table = p.Input({512, kWidth});
  const Array shifted = p.Apply("add", {tokens, p.Broadcast(p.Integer(1), tokens.dims, {})});
  const Array rows = p.Lookup(table, shifted);
  const Step step(p, {p.Apply("tanh", {rows})});
  EXPECT_EQ(LinesOf(step, rows, Origin::kBatch, 2),
            "parameter f32[512,64] whole\n"
            "parameter s32[8,32] dim 0 in 2\n"
            "gather f32[8,32,64] dim 0 in 2\n"
            "tanh f32[8,32,64] dim 0 in 2\n");
}

// A mask that is read as it is and beside a transposed value is computed once per way of cutting
// it.
TEST(AMaskComesAlongOncePerLayout) {
  Program p;
  const Attention attention = WriteAttention(p, Stem(p), 4);
  const Array mask = p.Filled(-1, attention.scores.dims);
  const Array masked = p.Plus(attention.scores, mask);
  const Array turned = p.Transpose(attention.scores, {0, 1, 3, 2});
  const Step step(p, {attention.out, masked, p.Plus(turned, mask)});
  const std::string batch = LinesOf(step, attention.scores, Origin::kBatch, 8);
  EXPECT_EQ(CountOf(batch, "broadcast f32[8,4,32,32] dim 0 in 8\n"), 3);  // the mask, and softmax's
  const std::string keys = Lines(WithVariant(step, attention.scores, 0));
  EXPECT_EQ(CountOf(keys, "broadcast f32[8,4,32,32] dim 3 in 2\n"), 1);
  EXPECT_EQ(CountOf(keys, "constant f32[] whole\n"), 2);  // the mask's, and what a sum starts from
}

// Softmax over split keys: its two reductions call computations, which come along, and are whole.
TEST(ReductionsBringWhatTheyCall) {
  Program p;
  const Attention attention = WriteAttention(p, Stem(p), 4);
  const Step step(p, {attention.out});
  const std::string bytes = WithVariant(step, attention.scores, 1);
  EXPECT_EQ(ReadHloModule(bytes).computations.size(), 3u);
  EXPECT_EQ(CountOf(Lines(bytes), "reduce f32[8,4,32] whole\n"), 2);
  EXPECT_EQ(CountOf(Lines(bytes), "exponential f32[8,4,32,32] dim 3 in 2\n"), 1);
}

TEST(WhatCannotBeAskedForIsAnError) {
  const Projection projection;
  const Analysis& analysis = projection.step.analysis();
  const int block = projection.step.Block(projection.y);
  EXPECT_THROWS(BlockModule(analysis, 9, 0, 2), "block module: block 9 of 2");
  EXPECT_THROWS(BlockModule(analysis, block, 9, 2), "block module: strategy 9 of 4 of block 1");
  EXPECT_THROWS(BlockModule(analysis, block, 0, 3), "block module: 3 pieces do not divide 8");
}

}  // namespace
}  // namespace cfp
