// For tests of graphs: building one from modules made by hand, and its structure as text.
//
//   Text(Build({main}, 1))     "%0 = parameter()\n%1 = negate(%0)\n"
// with `index i` for what has a tuple index, `next %n` for carries and `region r` where that is not
// 0.
#pragma once

#include <string>
#include <vector>

#include "graph.h"
#include "hlo_reader.h"
#include "hlo_testing.h"

namespace cfp::testing {

inline Graph Build(const std::vector<HloText>& computations, int64_t entry_id) {
  Graph graph = BuildGraph(ReadHloModule(Serialize(computations, entry_id)));
  Verify(graph);
  return graph;
}

inline std::string Text(const Graph& graph) {
  std::string text;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const auto id = static_cast<OpId>(i);
    text += "%" + std::to_string(id) + " = " + std::string(OpcodeText(graph.ops[i].opcode)) + "(";
    const char* separator = "";
    for (const OpId operand : graph.operands(id)) {
      text += separator + ("%" + std::to_string(operand));
      separator = ", ";
    }
    text += ")";
    if (graph.ops[i].tuple_index >= 0) text += " index " + std::to_string(graph.ops[i].tuple_index);
    if (graph.next[i] != kNoOp) text += " next %" + std::to_string(graph.next[i]);
    if (graph.ops[i].region != 0) text += " region " + std::to_string(graph.ops[i].region);
    text += "\n";
  }
  return text;
}

inline HloText Binary(int64_t id, std::string_view opcode, const std::string& shape = F32({})) {
  HloText computation(id);
  const int64_t a = computation.Parameter(0, shape);
  const int64_t b = computation.Parameter(1, shape);
  computation.Add(opcode, shape, {a, b});
  return computation;
}

// carry (i, x, w) -> (i + step, tanh(x · w), w), while i < limit.
struct ScanText {
  std::string state = TupleOf({S32({}), F32({4, 4}), F32({4, 4})});
  HloText body{1}, condition{2};

  ScanText(int64_t step, int64_t limit, std::string_view direction = "LT") {
    const int64_t carry = body.Parameter(0, state);
    const int64_t next =
        body.Add("add", S32({}), {body.Element(carry, 0, S32({})), body.Constant(step)});
    const int64_t w = body.Element(carry, 2, F32({4, 4}));
    const int64_t dot = body.Add("dot", F32({4, 4}), {body.Element(carry, 1, F32({4, 4})), w},
                                 DotNumbers({1}, {0}));
    body.Add("tuple", state, {next, body.Add("tanh", F32({4, 4}), {dot}), w});
    const int64_t read = condition.Parameter(0, state);
    condition.Add("compare", Pred(),
                  {condition.Element(read, 0, S32({})), condition.Constant(limit)},
                  Direction(direction));
  }

  // main(x, w): the x after the loop
  HloText Main(int64_t start) const {
    HloText main(9);
    const int64_t x = main.Parameter(0, F32({4, 4}));
    const int64_t w = main.Parameter(1, F32({4, 4}));
    const int64_t initial = main.Add("tuple", state, {main.Constant(start), x, w});
    main.Element(main.Add("while", state, {initial}, Calls({1, 2})), 1, F32({4, 4}));
    return main;
  }

  Graph Built(int64_t start) const { return Build({body, condition, Main(start)}, 9); }
};

}  // namespace cfp::testing
