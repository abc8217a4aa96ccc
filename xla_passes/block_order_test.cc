// The order in which blocks are listed.
#include "block_order.h"

#include "analysis_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// An encoder of three matrices and a decoder of one, which meet in the cross attention's projection
// of the encoder: the encoder is listed first, in whichever order they are read.
TEST(TheEncoderComesBeforeTheDecoder) {
  for (const bool decoder_first : {false, true}) {
    Program p;
    Arrays encoder{Stem(p)};
    while (encoder.size() < 3) encoder.push_back(p.MatMul(encoder.back(), p.Input({64, 64})));
    const Array decoder = Stem(p);
    const Array cross = p.MatMul(encoder.back(), p.Input({64, 64}));
    const Array joined = decoder_first ? p.Plus(decoder, cross) : p.Plus(cross, decoder);
    const Step step(p, {joined});
    EXPECT_EQ(step.BlocksOf({encoder[0], encoder[1], encoder[2], decoder, cross}),
              (Integers{0, 1, 2, 3, 4}));
  }
}

// A position bias that the scores of all layers read is listed ahead of the layers, so that they
// stand side by side and repeat.
TEST(WhatAllLayersReadComesBeforeThem) {
  Program p;
  const Array bias = p.MatMul(p.Input({4, 32, 8}), p.Input({8, 32}));
  Array h = Stem(p);
  Arrays blocks{h, bias};
  for (int layer = 0; layer < 3; ++layer) {
    const Array q = p.MatMul(h, p.Input({64, 64})), k = p.MatMul(h, p.Input({64, 64}));
    const Array scores =
        p.Dot(WriteHeads(p, q, 4), WriteHeads(p, k, 4), {{3}, {3}}, {{0, 2}, {0, 2}});
    const Array biased = p.Plus(scores, p.Broadcast(bias, scores.dims, {1, 2, 3}));
    const Array rows = p.Reshape(p.Transpose(biased, {0, 2, 1, 3}), {8, 32, 128});
    h = p.MatMul(rows, p.Input({128, 64}));
    blocks.push_back(scores);
    blocks.push_back(h);
  }
  const Step step(p, {h});
  EXPECT_EQ(step.BlocksOf(blocks), (Integers{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(step.Segments(), "2 x 1 at 0; 2 x 3 at 2 4 6");
}

// A block that reads what follows from it (expert outputs, combined where they were dispatched)
// stays ahead of what it reads.
TEST(DispatchComesBeforeTheExperts) {
  Program p;
  const Array h = p.Reshape(Stem(p), {256, 64});
  const Array router = p.MatMul(h, p.Input({64, 8}));
  const Array mask = p.Apply("sign", {p.Broadcast(router, {256, 8, 64}, {0, 1})});
  const Array dispatched = p.Dot(mask, h, {{0}, {0}});
  const Array expert = p.Dot(dispatched, p.Input({8, 64, 64}), {{2}, {1}}, {{0}, {0}});
  const Array combined = p.Dot(mask, expert, {{1, 2}, {0, 1}});
  const Array head = p.MatMul(combined, p.Input({64, 16}));
  const Step step(p, {head});
  EXPECT_EQ(step.BlocksOf({router, dispatched, combined, expert, head}), (Integers{1, 1, 1, 2, 3}));
}

}  // namespace
}  // namespace cfp
