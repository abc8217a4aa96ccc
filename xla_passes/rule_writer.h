// How a partition rule is written down: one factor after the other, each placed on the arrays it
// stands on.
//
//   dot f32[m,n] of f32[m,k] and f32[k,n]
//     rule.Add(m, FactorKind::kPass).OnOperand(0, 0).OnResult(0);
//     rule.Add(n, FactorKind::kPass).OnOperand(1, 1).OnResult(1);
//     rule.Add(k, FactorKind::kReduced).OnOperand(0, 1).OnOperand(1, 0);
//
// A factor of size 1 is dropped on the way, so no rule has to ask. All lists are bounds-checked:
// HLO from elsewhere may name a dimension that is not there, which becomes an HloError and not a
// crash.
#pragma once

#include <stdexcept>

#include "graph.h"
#include "partition_rules.h"
#include "shape_size.h"

namespace cfp {

// A list of sizes or dimension numbers whose elements are looked up with a bounds check.
class Numbers {
 public:
  explicit Numbers(Span<int64_t> numbers) : numbers_(numbers) {}
  const int64_t* begin() const { return numbers_.begin(); }
  const int64_t* end() const { return numbers_.end(); }
  int64_t size() const { return static_cast<int64_t>(numbers_.size()); }

  int64_t operator[](int64_t i) const {
    if (i < 0 || i >= size()) throw std::out_of_range("no element of that number");
    return numbers_[static_cast<size_t>(i)];
  }
  // Where `number` first stands, -1 if nowhere.
  int64_t Find(int64_t number) const {
    for (int64_t i = 0; i < size(); ++i) {
      if (numbers_[static_cast<size_t>(i)] == number) return i;
    }
    return -1;
  }
  bool Has(int64_t number) const { return Find(number) >= 0; }

 private:
  Span<int64_t> numbers_;
};

// The sites of the factor added last; valid until the next one is added.
class Placement {
 public:
  Placement(Site* sites, size_t num_operands) : sites_(sites), num_operands_(num_operands) {}
  Placement& OnOperand(size_t operand, int64_t dim, int64_t outer = 1) {
    if (operand >= num_operands_) throw std::out_of_range("no operand of that number");
    return Put(operand, dim, outer);
  }
  Placement& OnResult(int64_t dim, int64_t outer = 1) { return Put(num_operands_, dim, outer); }

 private:
  Placement& Put(size_t array, int64_t dim, int64_t outer) {
    if (sites_ != nullptr) sites_[array] = {static_cast<int16_t>(dim), outer};
    return *this;
  }
  Site* sites_;  // null for a factor of size 1, which is not written
  size_t num_operands_;
};

// One op with its operands, attributes and dimensions.
class OpView {
 public:
  OpView(const Graph& graph, OpId op) : graph_(graph), op_(op), operands_(graph.Reads(op)) {}

  const Op& op() const { return graph_.ops[op_]; }
  const Attributes& attributes() const { return graph_.attributes(op_); }
  const GatherAttributes& gather() const { return graph_.gather(op_); }
  const ConvAttributes& conv() const { return graph_.conv(op_); }
  size_t num_operands() const { return operands_.size(); }
  const Op& operand(size_t i) const;
  Numbers operand_dims(size_t i) const { return DimsOf(operand(i).shape); }
  Numbers result_dims() const { return DimsOf(op().shape); }
  Numbers list(Ints run) const { return Numbers(graph_.module.list(run)); }

 private:
  Numbers DimsOf(const Shape& shape) const { return Numbers(WidestDims(graph_.module, shape)); }

  const Graph& graph_;
  OpId op_;
  Span<OpId> operands_;
};

class RuleWriter : public OpView {
 public:
  RuleWriter(const Graph& graph, OpId op, Rule* rule);

  Placement Add(int64_t size, FactorKind kind);
  // One factor for each dimension of an array, standing on that array alone.
  void AddEachOfOperand(size_t operand, FactorKind kind);
  void AddEachOfResult(FactorKind kind);
  // Nobody knows this op.
  void MarkBarrier() { rule_->barrier = true; }

 private:
  Rule* rule_;
};

// Every dimension of everything stays whole.
void WriteWhole(RuleWriter& rule);
// The same, for an op that nobody knows: it is reported.
void WriteBarrier(RuleWriter& rule);

// One factor per dimension of the result, of the kind that `kind(dim)` says, on every operand of
// the same size there. A scalar operand has no such dimension, and one of size 1 is broadcast.
template <typename KindOfDim>
void WriteAligned(RuleWriter& rule, KindOfDim kind) {
  const Numbers result = rule.result_dims();
  for (int64_t d = 0; d < result.size(); ++d) {
    Placement placement = rule.Add(result[d], kind(d)).OnResult(d);
    for (size_t i = 0; i < rule.num_operands(); ++i) {
      const Numbers operand = rule.operand_dims(i);
      if (d < operand.size() && operand[d] == result[d]) placement.OnOperand(i, d);
    }
  }
}

// The first `leading` dimensions pass wherever they have the result's size; all others stay whole.
void WriteLeading(RuleWriter& rule, int64_t leading);

}  // namespace cfp
