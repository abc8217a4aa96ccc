// For tests of layouts: whole train steps, gradients and optimizer included.
//
//   const TrainedMlp t;
//   const Laid laid(t.step, {t.Data(4)}, t.next);
#pragma once

#include "layout_testing.h"
#include "model_testing.h"

namespace cfp::testing {

// Two matrices, and an optimizer that keeps a momentum of the second.
struct TrainedMlp {
  Program p;
  Mlp m = WriteMlp(p);
  Array momentum = p.Input(m.second.dims);
  Array share = p.Times(m.dfirst, p.Filled(0.1F, m.first.dims));
  Array next_first = p.Plus(m.first, share);
  Array next_momentum = p.Plus(p.Times(momentum, p.Filled(0.9F, momentum.dims)), m.dsecond);
  Array next_second = p.Plus(m.second, next_momentum);
  Step step{p, {m.loss, next_first, next_momentum, next_second}};
  std::vector<Next> next{{next_first, m.first}, {next_momentum, momentum}, {next_second, m.second}};

  Plan Data(int64_t size) const {
    return Plan(step, size).Choose(m.hidden, "activation").Choose(m.y, "activation");
  }
  Plan ColumnsThenRows(int64_t size) const {
    return Plan(step, size).Choose(m.hidden, "weight").Choose(m.y, "contracted");
  }
};

// Twelve layers tanh(x · w) whose weights are stacked, as one loop and the loop of its gradients.
struct TrainedScan {
  Program p;
  Array x = p.Input({8, 64}), weights = p.Input({12, 64, 64});
  Array w, y, saved;  // of the forward loop's body
  Array dx, dw;       // of the other one's
  Array dlast, next_weights = Write();
  Step step{p, {next_weights}};
  std::vector<Next> next{{next_weights, weights}};

 private:
  Array Write() {
    const Array stack = p.Filled(0, {12, 8, 64});
    const Arrays forward =
        p.Loop(12, {x, weights, stack}, [&](const Array& trip, const Arrays& carry) {
          w = p.Reshape(p.Row(carry[1], trip), {64, 64});
          y = p.MatMul(carry[0], w);
          saved = p.WithRow(carry[2], p.Reshape(carry[0], {1, 8, 64}), trip);
          return Arrays{p.Apply("tanh", {y}), carry[1], saved};
        });
    dlast = p.Apply("tanh", {forward[0]});
    const Arrays initial{dlast, weights, forward[2], p.Filled(0, weights.dims)};
    const Arrays backward = p.Loop(12, initial, [&](const Array& trip, const Arrays& carry) {
      const Array layer = p.Apply("subtract", {p.Integer(11), trip});
      const Array input = p.Reshape(p.Row(carry[2], layer), {8, 64});
      const Array dy = p.Times(carry[0], carry[0]);
      dw = p.WeightGradient(input, dy);
      dx = p.InputGradient(dy, p.Reshape(p.Row(carry[1], layer), {64, 64}));
      const Array stacked = p.WithRow(carry[3], p.Reshape(dw, {1, 64, 64}), layer);
      return Arrays{dx, carry[1], carry[2], stacked};
    });
    return p.Plus(weights, p.Times(backward[3], p.Filled(0.1F, weights.dims)));
  }
};

}  // namespace cfp::testing
