// For tests of the passes: the parts that train steps are made of, written with a Program.
//
//   Program p;
//   const Array h = Stem(p);                         // an activation f32[8,32,64]
//   const Attention attention = WriteAttention(p, h, 4, 4);
//   const Array normed = Norm(p, attention.out);
#pragma once

#include "program_testing.h"

namespace cfp::testing {

constexpr int64_t kBatch = 8, kSequence = 32, kWidth = 64;

// An activation to start with: what reads an input of the step directly has no producer.
inline Array Stem(Program& p) {
  return p.MatMul(p.Input({kBatch, kSequence, kWidth}), p.Input({kWidth, kWidth}));
}

inline Array Along(Program& p, const Array& reduced, const Array& like, const Integers& at) {
  return p.Broadcast(reduced, like.dims, at);
}

// x / sqrt(mean of squares), over the last dimension.
inline Array Norm(Program& p, const Array& x) {
  const Array scale = p.Apply("rsqrt", {p.Sum(p.Times(x, x), {2})});
  return p.Times(x, Along(p, scale, x, {0, 1}));
}

// Over the last of four dimensions.
inline Array Softmax(Program& p, const Array& scores) {
  const Integers kept{0, 1, 2};
  const Array top = Along(p, p.Maximum(scores, {3}), scores, kept);
  const Array exponentials = p.Apply("exponential", {p.Apply("subtract", {scores, top})});
  return p.Apply("divide", {exponentials, Along(p, p.Sum(exponentials, {3}), scores, kept)});
}

// A convolution of three neighbours along dimension 1: [batch, length, features].
inline Array Convolve(Program& p, const Array& x, int64_t features) {
  using F = ConvolutionField;
  const Array kernel = p.Input({3, x.dims[2], features});
  const std::string numbers =
      IntegerField(F::kInputBatch, 0) + PackedField(F::kInputSpatial, {1}) +
      IntegerField(F::kInputFeature, 2) + PackedField(F::kKernelSpatial, {0}) +
      IntegerField(F::kKernelInput, 1) + IntegerField(F::kKernelOutput, 2) +
      IntegerField(F::kOutputBatch, 0) + PackedField(F::kOutputSpatial, {1}) +
      IntegerField(F::kOutputFeature, 2);
  const std::string same_size = IntegerField(1, 3) + IntegerField(2, 1) + IntegerField(3, 1) +
                                IntegerField(4, 1) + IntegerField(5, 1) + IntegerField(6, 1);
  return p.Add("convolution", {x, kernel}, {x.dims[0], x.dims[1], features},
               BytesField(InstructionField::kConvolution, numbers) +
                   BytesField(InstructionField::kWindow, BytesField(1, same_size)));
}

struct Attention {
  Array q, k, v;          // projections, [batch, sequence, heads · 16]
  Array scores, weights;  // before and after softmax, [batch, heads, queries, keys]
  Array mixed;            // weights · v
  Array out;              // after the output projection
};

constexpr int64_t kHeadWidth = 16;

inline Array WriteHeads(Program& p, const Array& projected, int64_t heads) {
  return p.Reshape(projected, {kBatch, kSequence, heads, projected.dims[2] / heads});
}

inline Attention WriteAttention(Program& p, const Array& h, int64_t heads,
                                int64_t head_width = kHeadWidth) {
  Attention a;
  const Integers weight{h.dims[2], heads * head_width};
  a.q = p.MatMul(h, p.Input(weight));
  a.k = p.MatMul(h, p.Input(weight));
  a.v = p.MatMul(h, p.Input(weight));
  const Array q = WriteHeads(p, a.q, heads), k = WriteHeads(p, a.k, heads);
  a.scores = p.Dot(q, k, {{3}, {3}}, {{0, 2}, {0, 2}});
  a.weights = Softmax(p, a.scores);
  a.mixed = p.Dot(a.weights, WriteHeads(p, a.v, heads), {{3}, {1}}, {{0, 1}, {0, 2}});
  const Array joined =
      p.Reshape(p.Transpose(a.mixed, {0, 2, 1, 3}), {kBatch, kSequence, heads * head_width});
  a.out = p.MatMul(joined, p.Input({heads * head_width, h.dims[2]}));
  return a;
}

// y = tanh(x · first) · second, loss = sum(y), and the gradients written by hand.
struct Mlp {
  Array x, first, second;
  Array hidden, active, y, loss;
  Array dy, dsecond, dactive, dhidden, dfirst;
};

inline void WriteForward(Program& p, Mlp* m) {
  m->hidden = p.MatMul(m->x, m->first);
  m->active = p.Apply("tanh", {m->hidden});
  m->y = p.MatMul(m->active, m->second);
}

inline void WriteBackward(Program& p, Mlp* m) {
  m->dsecond = p.WeightGradient(m->active, m->dy);
  m->dactive = p.InputGradient(m->dy, m->second);
  const Array slope =
      p.Apply("subtract", {p.Filled(1, m->active.dims), p.Times(m->active, m->active)});
  m->dhidden = p.Times(m->dactive, slope);
  m->dfirst = p.WeightGradient(m->x, m->dhidden);
}

inline Mlp WriteMlp(Program& p) {
  Mlp m;
  m.x = p.Input({kBatch, kWidth});
  m.first = p.Input({kWidth, 128});
  m.second = p.Input({128, 16});
  WriteForward(p, &m);
  m.loss = p.Sum(p.Times(m.y, m.y), {0, 1});
  m.dy = p.Times(m.y, p.Filled(2, m.y.dims));
  WriteBackward(p, &m);
  return m;
}

}  // namespace cfp::testing
