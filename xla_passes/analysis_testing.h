// For tests of the passes: what the analysis of a Program says about the arrays it was written
// with.
//
//   const Step step(p, {loss});
//   step.Owner(norm)            "block 1 [B10.3]"
//   step.Join(scores)           "[B5.2]"
//   step.BlocksOf({q, k, v})    [0, 0, 0]
//   step.Strategies(q)          "weight of 4\ncontracted of 64: all-reduce f32[8,32,64]\n"
#pragma once

#include <stdexcept>
#include <string>
#include <unordered_map>

#include "program_testing.h"
#include "records.h"

namespace cfp::testing {

class Step {
 public:
  Step(Program& program, const Arrays& results) : Step(program.Serialized(results)) {}
  explicit Step(std::string bytes) : analysis_(Analyze(std::move(bytes))) {
    Verify(analysis_.graph);
    for (size_t i = 0; i < analysis_.graph.ops.size(); ++i) {
      const auto id = static_cast<OpId>(i);
      op_of_.emplace(analysis_.graph.instruction(id).id, id);
    }
  }

  const Analysis& analysis() const { return analysis_; }
  const Graph& graph() const { return analysis_.graph; }
  const BlockStrategies& StrategiesOf(const Array& a) const {
    return analysis_.strategies[analysis_.alike[Block(a)]];
  }

  // The op that an array became.
  OpId Op(const Array& a) const {
    const auto found = op_of_.find(a.id);
    if (found == op_of_.end())
      throw std::logic_error("no op is left of array " + std::to_string(a.id));
    return found->second;
  }
  OpId Number(const Array& a) const { return analysis_.numbers.of[Op(a)]; }

  int Contraction(const Array& a) const { return analysis_.contractions.at[Op(a)]; }
  // "forward", "gradient 1 of %4", "recomputed %4"; "no contraction".
  std::string Phase(const Array& a) const {
    if (Contraction(a) < 0) return "no contraction";
    const cfp::Contraction& c = analysis_.contractions.list[Contraction(a)];
    const std::string forward = "%" + std::to_string(analysis_.contractions.list[c.forward].op);
    if (c.phase == cfp::Phase::kForward) return c.unmatched ? "forward, unmatched" : "forward";
    if (c.phase == cfp::Phase::kRecomputed) return "recomputed " + forward;
    return "gradient " + std::to_string(c.gradient_of) + " of " + forward;
  }
  std::string GradientOf(const Array& forward, int operand) const {
    return "gradient " + std::to_string(operand) + " of %" + std::to_string(Op(forward));
  }

  std::string Join(const Array& a) const {
    return "[" + std::string(JoinLabel(analysis_.grouping.join[Contraction(a)])) + "]";
  }

  // -1 where no block owns it.
  int Block(const Array& a) const {
    const cfp::Owner& owner = analysis_.blocks.owner[Op(a)];
    return owner.kind == OwnerKind::kBlock ? owner.index : -1;
  }
  Integers BlocksOf(const Arrays& arrays) const {
    Integers blocks;
    for (const Array& a : arrays) blocks.push_back(Block(a));
    return blocks;
  }
  size_t BlockCount() const { return analysis_.blocks.list.size(); }
  std::string Owner(const Array& a) const {
    const cfp::Owner& owner = analysis_.blocks.owner[Op(a)];
    const std::string label = " [" + std::string(BecauseLabel(owner.because)) + "]";
    if (owner.kind == OwnerKind::kNobody) return "nobody" + label;
    const char* kind = owner.kind == OwnerKind::kBlock ? "block " : "optimizer ";
    return kind + std::to_string(owner.index) + label;
  }

  // The strategies of the block of `a`, one a line; "of 4": at most four equal pieces.
  std::string Strategies(const Array& a) const {
    std::string text;
    for (const Strategy& s : StrategiesOf(a).list) text += Text(s) + "\n";
    return text;
  }
  std::string Text(const Strategy& strategy) const {
    std::string text(OriginText(strategy.origin));
    text += " of " + std::to_string(strategy.granule);
    if (strategy.variant >= 0) text += " keeping operand " + std::to_string(strategy.variant);
    const char* separator = ": ";
    for (const Collective& c : strategy.collectives) {
      text += separator + std::string(CollectiveText(c.kind)) + " " +
              ShapeText(graph().module, graph().ops[c.value].shape);
      separator = ", ";
    }
    return text;
  }

  // The only strategy of the block of `a` whose line of text starts like this.
  const Strategy& TheStrategy(const Array& a, const std::string& text) const {
    const Strategy* only = nullptr;
    for (const Strategy& s : StrategiesOf(a).list) {
      if (Text(s).compare(0, text.size(), text) != 0) continue;
      if (only != nullptr) throw std::logic_error("two strategies start with " + text);
      only = &s;
    }
    if (only == nullptr) throw std::logic_error("no strategy starts with " + text);
    return *only;
  }
  // Where a strategy cuts an array that is computed in its block or read by it: "dim 2", inside
  // each of three parts "dim 2/3", else "whole".
  std::string Cut(const Strategy& strategy, const Array& a) const {
    for (const std::vector<Placed>* list : {&strategy.members, &strategy.inputs}) {
      for (const Placed& placed : *list) {
        if (placed.value != Number(a)) continue;
        const std::string outer =
            placed.split.outer == 1 ? "" : "/" + std::to_string(placed.split.outer);
        return "dim " + std::to_string(placed.split.dim) + outer;
      }
    }
    return "whole";
  }

  // "1 x 1 at 0; 4 x 3 at 1 5 9": the blocks of a run, how often it repeats, where it starts.
  std::string Segments() const {
    std::string text;
    for (const Segment& segment : analysis_.segments.list) {
      text += (text.empty() ? "" : "; ") + std::to_string(segment.blocks) + " x " +
              std::to_string(segment.starts.size()) + " at";
      for (const int start : segment.starts) text += " " + std::to_string(start);
      if (segment.times != 1) text += ", " + std::to_string(segment.times) + " times";
    }
    return text;
  }
  bool Alike(const Array& a, const Array& b) const {
    return analysis_.segments.signature[Block(a)] == analysis_.segments.signature[Block(b)];
  }

 private:
  Analysis analysis_;
  std::unordered_map<int64_t, OpId> op_of_;  // by id of the instruction
};

}  // namespace cfp::testing
