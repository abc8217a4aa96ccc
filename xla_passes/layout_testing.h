// For tests of layouts: a plan written with the arrays of a Program, and what comes of it as text.
//
//   const Laid laid(step, {Plan(step, 4).Choose(hidden, "weight").Choose(y, "contracted")});
//   laid.Cut(hidden)     "dim 1"
//   laid.Movements()     "all-reduce f32[8,16]\n"
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "analysis_testing.h"
#include "axis_layout.h"

namespace cfp::testing {

// "dim 1", inside each of three parts "dim 1/3", "whole".
inline std::string CutText(const Split& split) {
  if (split.dim < 0) return "whole";
  const std::string outer = split.outer == 1 ? "" : "/" + std::to_string(split.outer);
  return "dim " + std::to_string(split.dim) + outer;
}

// The number of the entry parameter that an array is.
inline int ArgumentOf(const Step& step, const Array& a) {
  const std::vector<OpId>& parameters = step.graph().parameters;
  for (size_t p = 0; p < parameters.size(); ++p) {
    if (parameters[p] == step.Op(a)) return static_cast<int>(p);
  }
  throw std::logic_error("array " + std::to_string(a.id) + " is no argument");
}

// What is decided on one axis; blocks that are not named are whole. Without `Store` arguments lie
// as their readers would have it; with it, those that are not named are whole.
class Plan {
 public:
  Plan(const Step& step, int64_t size) : step_(step) {
    axis_.size = size;
    axis_.choice.assign(step.BlockCount(), kWhole);
  }
  // The only strategy of the block of `a` whose text starts like this.
  Plan& Choose(const Array& a, const std::string& strategy) {
    const Strategy* const first = step_.StrategiesOf(a).list.data();
    return ChooseNumber(a, static_cast<int>(&step_.TheStrategy(a, strategy) - first));
  }
  Plan& ChooseNumber(const Array& a, int strategy) {
    axis_.choice[step_.Block(a)] = strategy;
    return *this;
  }
  Plan& Store(const Array& argument, int dim, int64_t outer = 1) {
    StoreWhole().axis_.stored[ArgumentOf(step_, argument)] = {static_cast<int16_t>(dim), outer, 1};
    return *this;
  }
  Plan& StoreWhole() {
    axis_.stored.resize(step_.graph().parameters.size());
    return *this;
  }
  const Axis& axis() const { return axis_; }
  // Whole where nothing is stored.
  std::vector<Split> Places() const { return Plan(*this).StoreWhole().axis_.stored; }

 private:
  const Step& step_;
  Axis axis_;
};

// A result of the step, and the argument whose next value it is.
struct Next {
  Array result, argument;
};

inline std::vector<int> Continues(const Step& step, const std::vector<Next>& next) {
  std::vector<int> continues;
  for (const OpId result : step.graph().results) {
    continues.push_back(-1);
    for (const Next& one : next) {
      if (step.Op(one.result) == result) continues.back() = ArgumentOf(step, one.argument);
    }
  }
  return continues;
}

class Laid {
 public:
  Laid(const Step& step, const std::vector<Plan>& plans, const std::vector<Next>& next = {})
      : step_(step) {
    std::vector<Axis> axes;
    for (const Plan& plan : plans) axes.push_back(plan.axis());
    layouts_ = LayOut(step.analysis(), axes, Continues(step, next));
  }

  std::string Cut(const Array& a, size_t axis = 0) const {
    return CutText(layouts_[axis].of[step_.Op(a)]);
  }
  std::string Wanted(const Array& argument, size_t axis = 0) const {
    return CutText(layouts_[axis].wanted[ArgumentOf(step_, argument)]);
  }
  // How a contraction uses an operand.
  std::string Use(const Array& contraction, int operand, size_t axis = 0) const {
    for (const OperandUse& use : layouts_[axis].uses) {
      if (use.op == step_.Op(contraction) && use.operand == operand) return CutText(use.split);
    }
    throw std::logic_error("no use by array " + std::to_string(contraction.id));
  }
  // One a line: "all-reduce f32[8,16]", in a loop of twelve trips "12 x all-reduce f32[8,16]".
  std::string Movements(size_t axis = 0) const {
    std::string text;
    for (const Movement& one : layouts_[axis].movements) {
      text += one.times == 1 ? "" : std::to_string(one.times) + " x ";
      text += Text(one) + "\n";
    }
    return text;
  }
  // How often a value is moved so: a line of the program counts once, whatever its loop's trips.
  int Count(MovementKind kind, const Array& value, size_t axis = 0) const {
    int count = 0;
    for (const Movement& one : layouts_[axis].movements)
      count += one.kind == kind && one.value == step_.Op(value);
    return count;
  }
  const std::vector<AxisLayout>& layouts() const { return layouts_; }

 private:
  std::string Text(const Movement& one) const {
    return std::string(MovementText(one.kind)) + " " +
           ShapeText(step_.graph().module, step_.graph().ops[one.value].shape);
  }

  const Step& step_;
  std::vector<AxisLayout> layouts_;
};

}  // namespace cfp::testing
