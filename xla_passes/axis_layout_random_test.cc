// Plans made by chance: whatever is chosen, the answer is a layout that cuts into equal parts, or a
// reason why not.
#include <iterator>
#include <random>

#include "hlo_error.h"
#include "shape_size.h"
#include "testing.h"
#include "trained_testing.h"

namespace cfp {
namespace {

using namespace testing;

using Random = std::mt19937;

constexpr int64_t kSizes[]{1, 2, 3, 4, 8};

int64_t Below(Random& random, size_t count) { return static_cast<int64_t>(random() % count); }

struct Case {
  Step step;
  std::vector<int> continues;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto add = [&](Program& p, const Arrays& results) {
    cases.push_back({Step(p, results), {}});
  };
  TrainedMlp mlp;
  cases.push_back({mlp.step, Continues(mlp.step, mlp.next)});
  TrainedScan scan;
  cases.push_back({scan.step, Continues(scan.step, scan.next)});
  Program layer;
  const Array normed = Norm(layer, Stem(layer));
  const Array out = WriteAttention(layer, normed, 4).out;
  add(layer, {layer.Sum(layer.Plus(out, normed), {0, 1, 2})});
  Program fused;
  const Array both = fused.MatMul(Stem(fused), fused.Input({64, 192}));
  const Array gate = fused.Slice(both, 2, 0, 96), up = fused.Slice(both, 2, 96, 192);
  add(fused, {fused.MatMul(fused.Times(gate, up), fused.Input({96, 64}))});
  Program lookup;
  const Array tokens = lookup.Input({8, 32}, DType::kS32);
  const Array rows = lookup.Lookup(lookup.Input({1000, 64}), tokens);
  add(lookup,
      {lookup.AddRows(lookup.Filled(0, {1000, 64}), tokens, lookup.Apply("tanh", {rows})),
       lookup.Sort({lookup.MatMul(rows, lookup.Input({64, 48})), lookup.Filled(1, {8, 32, 48})},
                   2)[0]});
  return cases;
}

std::vector<Axis> RandomAxes(const Case& one, Random& random) {
  const Analysis& analysis = one.step.analysis();
  const Graph& graph = analysis.graph;
  const bool stored = Below(random, 2) == 0;
  std::vector<Axis> axes(1 + Below(random, 3));
  for (Axis& axis : axes) {
    axis.size = kSizes[Below(random, std::size(kSizes))];
    for (const int first : analysis.alike) {
      const auto count = analysis.strategies[first].list.size();
      axis.choice.push_back(static_cast<int>(Below(random, count + 1)) - 1);
    }
    for (size_t p = 0; stored && p < graph.parameters.size(); ++p) {
      const auto rank = graph.dims(graph.parameters[p]).size();
      axis.stored.push_back({static_cast<int16_t>(Below(random, rank + 1) - 1), 1, 1});
    }
  }
  return axes;
}

// What is wrong with one value on all axes together; "" where each cuts a dimension that is there,
// into equal parts.
std::string WrongSplit(const Graph& graph, OpId op, const std::vector<Axis>& axes,
                       const std::vector<Split>& splits) {
  const Span<int64_t> dims = WidestDims(graph.module, graph.ops[op].shape);
  for (const Split& split : splits) {
    if (split.dim < 0) continue;
    if (split.dim >= static_cast<int>(dims.size())) return "no such dimension";
    int64_t pieces = split.outer;
    for (size_t a = 0; a < axes.size(); ++a) {
      if (splits[a].dim == split.dim && splits[a].outer == split.outer) pieces *= axes[a].size;
    }
    if (dims[split.dim] % pieces != 0)
      return ShapeText(graph.module, graph.ops[op].shape) + " in " + std::to_string(pieces) +
             " of dimension " + std::to_string(split.dim);
  }
  return "";
}

std::string WrongLayout(const Graph& graph, const std::vector<Axis>& axes,
                        const std::vector<AxisLayout>& layouts) {
  const auto across = [&](auto of) {
    std::vector<Split> splits;
    for (const AxisLayout& layout : layouts) splits.push_back(of(layout));
    return splits;
  };
  for (OpId op = 0; op < static_cast<OpId>(graph.ops.size()); ++op) {
    const std::string wrong =
        WrongSplit(graph, op, axes, across([&](const AxisLayout& l) { return l.of[op]; }));
    if (!wrong.empty()) return "%" + std::to_string(op) + ": " + wrong;
  }
  for (size_t u = 0; u < layouts[0].uses.size(); ++u) {
    const OperandUse& use = layouts[0].uses[u];
    const OpId operand = graph.operands(use.op)[use.operand];
    const std::string wrong = WrongSplit(
        graph, operand, axes, across([&](const AxisLayout& l) { return l.uses[u].split; }));
    if (!wrong.empty())
      return "%" + std::to_string(operand) + " for %" + std::to_string(use.op) + ": " + wrong;
  }
  return "";
}

// [L4] A layout cuts into equal parts, all axes together.
TEST(RandomPlansCutIntoEqualParts) {
  Random random(7);
  for (const Case& one : Cases()) {
    int laid = 0;
    for (int trial = 0; trial < 300; ++trial) {
      const std::vector<Axis> axes = RandomAxes(one, random);
      try {
        const std::vector<AxisLayout> layouts = LayOut(one.step.analysis(), axes, one.continues);
        EXPECT_EQ(WrongLayout(one.step.graph(), axes, layouts), "");
        ++laid;
      } catch (const HloError&) {
      }
    }
    EXPECT_TRUE(laid > 30);
  }
}

}  // namespace
}  // namespace cfp
