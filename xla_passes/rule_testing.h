// For tests of partition rules: ops made by hand, rules as one line of text, and what must hold of
// any rule.
//
//   OneOp dot(Opcode::kDot, {8, 4}, {{8, 16}, {16, 4}});
//   dot.attributes().dot = {dot.List({1}), dot.List({0}), {}, {}};
//   dot.Text()      "R10: 8 pass 0.0 r.0 | 4 pass 1.1 r.1 | 16 reduced 0.1 1.0"
#pragma once

#include <string>
#include <vector>

#include "graph.h"
#include "rule_text.h"

namespace cfp::testing {

using Dims = std::vector<int64_t>;

// The factors that stand on `array` (the result has the number num_operands) at one dimension, as
// the size that they cover without a gap from the major end on.
inline int64_t CoveredSize(const Rule& rule, int array, size_t dim) {
  int64_t outer = 1;
  for (bool found = true; found;) {
    found = false;
    for (size_t f = 0; f < rule.factors.size() && !found; ++f) {
      const Site& site = rule.sites[f * (rule.num_operands + 1) + array];
      found = site.dim == static_cast<int>(dim) && site.outer == outer;
      if (found) outer *= rule.factors[f].size;
    }
  }
  return outer;
}

inline size_t SiteCount(const Rule& rule, int array) {
  size_t count = 0;
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    count += rule.sites[f * (rule.num_operands + 1) + array].dim >= 0;
  }
  return count;
}

// What is wrong with the factors on `array`; "" where they decompose each dimension exactly, none
// is left over and none has size 1.
inline std::string WrongFactors(const Rule& rule, int array, Span<int64_t> dims) {
  size_t used = 0;
  for (size_t d = 0; d < dims.size(); ++d) {
    const int64_t covered = CoveredSize(rule, array, d);
    if (covered != (dims[d] == 0 ? 1 : dims[d])) {
      return "array " + std::to_string(array) + " dim " + std::to_string(d) + ": factors make " +
             std::to_string(covered) + " of " + std::to_string(dims[d]) + " in " + RuleText(rule);
    }
    for (size_t f = 0; f < rule.factors.size(); ++f) {
      used += rule.sites[f * (rule.num_operands + 1) + array].dim == static_cast<int>(d);
    }
  }
  if (used != SiteCount(rule, array)) return "a site names no dimension in " + RuleText(rule);
  return "";
}

// What is wrong with the rule of an op; "" if it covers every array operand and the result.
inline std::string CheckRule(const Graph& graph, OpId op, const Rule& rule) {
  const Span<OpId> operands = graph.Reads(op);
  for (const Factor& factor : rule.factors) {
    if (factor.size <= 1) return "a factor of size 1 in " + RuleText(rule);
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    if (graph.ops[operands[i]].shape.dtype == DType::kTuple) continue;
    const std::string wrong = WrongFactors(rule, static_cast<int>(i), graph.dims(operands[i]));
    if (!wrong.empty()) return wrong;
  }
  if (graph.ops[op].shape.dtype == DType::kTuple) return "";
  return WrongFactors(rule, rule.num_operands, graph.dims(op));
}

// A graph of one op whose operands are parameters.
class OneOp {
 public:
  OneOp(Opcode opcode, const Dims& result, const std::vector<Dims>& operands) {
    for (size_t i = 0; i < operands.size(); ++i) {
      Append(Opcode::kParameter, operands[i]);
      attributes().index = static_cast<int64_t>(i);
    }
    Append(opcode, result);
    graph_.module.instructions.back().name = "the_op";
    op().operands_size = static_cast<uint32_t>(operands.size());
    for (size_t i = 0; i < operands.size(); ++i) {
      graph_.operand_pool.push_back(static_cast<OpId>(i));
    }
  }

  Op& op() { return graph_.ops.back(); }
  Op& operand(size_t i) { return graph_.ops[i]; }
  Attributes& attributes() { return graph_.module.OwnAttributes(&instruction()); }
  GatherAttributes& gather() { return graph_.module.OwnGather(&instruction()); }
  ConvAttributes& conv() { return graph_.module.OwnConv(&instruction()); }
  Graph& graph() { return graph_; }

  cfp::Ints List(const Dims& numbers) {
    std::vector<int64_t>& pool = graph_.module.ints;
    const cfp::Ints run{static_cast<uint32_t>(pool.size()), static_cast<uint32_t>(numbers.size())};
    pool.insert(pool.end(), numbers.begin(), numbers.end());
    return run;
  }
  // Makes the shape of `op` the tuple of arrays of these dimensions.
  void MakeTuple(Op* op, const std::vector<Dims>& elements) {
    std::vector<Shape> shapes;
    for (const Dims& dims : elements) shapes.push_back({DType::kF32, List(dims), {}});
    std::vector<Shape>& pool = graph_.module.shapes;
    const cfp::Ints run{static_cast<uint32_t>(pool.size()), static_cast<uint32_t>(shapes.size())};
    pool.insert(pool.end(), shapes.begin(), shapes.end());
    op->shape = {DType::kTuple, {}, run};
  }

  // The rule as text, or what is wrong with it.
  std::string Text() const {
    Rule rule;
    const OpId op = static_cast<OpId>(graph_.ops.size()) - 1;
    FillPartitionRule(graph_, op, &rule);
    const std::string wrong = CheckRule(graph_, op, rule);
    return wrong.empty() ? RuleText(rule) : wrong;
  }

 private:
  Instruction& instruction() { return graph_.module.instructions.back(); }
  void Append(Opcode opcode, const Dims& dims) {
    Op op;
    op.opcode = opcode;
    op.shape = {DType::kF32, List(dims), {}};
    op.instruction = static_cast<int32_t>(graph_.module.instructions.size());
    graph_.module.instructions.emplace_back();
    graph_.ops.push_back(op);
  }
  Graph graph_;
};

}  // namespace cfp::testing
