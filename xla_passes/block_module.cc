#include "block_module.h"

#include <map>
#include <tuple>
#include <utility>

#include "block_view.h"
#include "hlo_error.h"
#include "module_builder.h"
#include "op_sharding.h"

namespace cfp {
namespace {

bool IsLoopOrBranch(Opcode opcode) {
  return opcode == Opcode::kCarry || opcode == Opcode::kLoop || opcode == Opcode::kBranch;
}

class BlockWriter {
 public:
  BlockWriter(const Analysis& analysis, int block, const Strategy& strategy, int pieces)
      : analysis_(analysis),
        graph_(analysis.graph),
        view_(graph_, analysis.numbers, analysis.contractions, analysis.grouping, analysis.blocks,
              block),
        pieces_(pieces),
        builder_(graph_.module, "block") {
    for (const Placed& placed : strategy.members) split_of_[placed.value] = placed.split;
    for (const Placed& placed : strategy.inputs) {
      wanted_[{placed.value, placed.reader}] = placed.split;
    }
  }

  std::string Write() {
    for (const OpId op : view_.ops()) {
      if (IsComputed(op)) written_[op] = WriteMember(op);
    }
    std::vector<int64_t> outputs;
    for (const OpId op : Outputs()) outputs.push_back(written_.at(op));
    return builder_.Finish(outputs);
  }

 private:
  // Loops and branches stay outside: what enters or leaves one is a parameter here.
  bool IsComputed(OpId op) const {
    if (!view_.IsMember(op) || IsLoopOrBranch(graph_.ops[op].opcode)) return false;
    return graph_.ops[op].opcode != Opcode::kGetTupleElement ||
           !IsLoopOrBranch(graph_.ops[graph_.operands(op)[0]].opcode);
  }

  int64_t WriteMember(OpId op) {
    std::vector<int64_t> operands;
    for (const OpId operand : graph_.operands(op)) {
      const OpId value = view_.number(operand);
      operands.push_back(IsComputed(value) ? written_.at(value)
                                           : WriteOutside(value, SplitFor(value, op)));
    }
    const auto found = split_of_.find(op);
    return Copy(op, operands, found == split_of_.end() ? Split{} : found->second);
  }

  Split SplitFor(OpId value, OpId reader) const {
    if (const auto member = split_of_.find(value); member != split_of_.end()) return member->second;
    const auto wanted = wanted_.find({value, reader});
    return wanted == wanted_.end() ? Split{} : wanted->second;
  }

  int64_t WriteOutside(OpId value, const Split& split) {
    const auto key = std::make_tuple(value, split.dim, split.outer);
    if (const auto found = outside_.find(key); found != outside_.end()) return found->second;
    const int64_t id = CanBeCloned(value) ? Clone(value, split) : AddParameter(value, split);
    outside_.emplace(key, id);
    return id;
  }

  int64_t AddParameter(OpId value, const Split& split) {
    return builder_.AddParameter(graph_.ops[value].shape, NoteOn(value, split));
  }

  // A source as its reader wants it; its own operands are cut so that it needs nothing from other
  // devices.
  int64_t Clone(OpId value, const Split& split) {
    Rule rule;
    FillPartitionRule(graph_, value, &rule);
    const int factor = split.dim < 0 ? -1 : ResultFactorCut(rule, split);
    const bool passes = factor >= 0 && rule.factors[factor].kind == FactorKind::kPass;
    std::vector<int64_t> operands;
    for (size_t i = 0; i < graph_.operands(value).size(); ++i) {
      Split its;
      if (passes && rule.operand_site(factor, i).dim >= 0) {
        its = Carry(rule.factors[factor], rule.result_site(factor), rule.operand_site(factor, i),
                    split);
      }
      if (its.granule % pieces_ != 0) its = {};
      operands.push_back(WriteOutside(view_.number(graph_.operands(value)[i]), its));
    }
    return Copy(value, operands, split);
  }

  // Masks and constants are computed again by each reader; what looks something up, sums, or hangs
  // on integers from outside (tokens, random keys) is given.
  bool CanBeCloned(OpId value) {
    if (view_.RelationOf(value) != Relation::kSource) return false;
    const auto found = can_be_cloned_.find(value);
    if (found != can_be_cloned_.end()) return found->second;
    const Opcode opcode = graph_.ops[value].opcode;
    bool can = opcode == Opcode::kConstant || opcode == Opcode::kIota || IsElementwise(opcode);
    for (const OpId operand : graph_.operands(value)) {
      const OpId base = view_.number(operand);
      can = can && (IsWeight(base) || CanBeCloned(base));
    }
    can_be_cloned_[value] = can;
    return can;
  }

  bool IsWeight(OpId value) const {
    const Op& op = graph_.ops[value];
    return op.opcode == Opcode::kParameter && IsFloat(op.shape.dtype);
  }

  int64_t Copy(OpId op, const std::vector<int64_t>& operands, const Split& split) {
    const Op& o = graph_.ops[op];
    const Note note = NoteOn(op, split);
    return o.opcode == Opcode::kGetTupleElement
               ? builder_.AddElement(operands[0], o.tuple_index, o.shape, note)
               : builder_.AddCopy(graph_.instruction(op), operands, note);
  }

  Note NoteOn(OpId op, const Split& split) const {
    const std::string op_name = "%" + std::to_string(op) + " " + OpName(graph_, op);
    if (!CanBeSaid(split)) return {"", op_name};
    return {ShardingOf(graph_.module, graph_.ops[op].shape, split, pieces_), op_name};
  }

  std::vector<OpId> Outputs() const {
    std::vector<bool> used(graph_.ops.size()), wanted(graph_.ops.size());
    for (const OpId result : graph_.results) wanted[view_.number(result)] = true;
    for (OpId reader = 0; reader < static_cast<OpId>(graph_.ops.size()); ++reader) {
      const bool inside = IsComputed(reader);
      const bool forward =
          view_.number(reader) == reader && !analysis_.contractions.IsBackward(reader);
      for (const OpId operand : graph_.operands(reader)) {
        if (inside) used[view_.number(operand)] = true;
        if (!inside && forward) wanted[view_.number(operand)] = true;
      }
    }
    std::vector<OpId> outputs;
    for (const OpId op : view_.ops()) {
      const bool is_array = graph_.ops[op].shape.dtype != DType::kTuple;
      if (is_array && IsComputed(op) && (wanted[op] || !used[op])) outputs.push_back(op);
    }
    return outputs;
  }

  const Analysis& analysis_;
  const Graph& graph_;
  const BlockView view_;
  const int pieces_;
  ModuleBuilder builder_;
  std::map<OpId, Split> split_of_;                                 // members
  std::map<std::pair<OpId, OpId>, Split> wanted_;                  // inputs, by reader
  std::map<OpId, int64_t> written_;                                // members: their ids
  std::map<std::tuple<OpId, int16_t, int64_t>, int64_t> outside_;  // by value and split
  std::map<OpId, bool> can_be_cloned_;
};

const Strategy& Checked(const Analysis& analysis, int block, int strategy, int pieces) {
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw HloError("block module: " + what);
  };
  const int blocks = static_cast<int>(analysis.blocks.list.size());
  require(block >= 0 && block < blocks,
          "block " + std::to_string(block) + " of " + std::to_string(blocks));
  const int alike = analysis.alike[block];
  require(alike == block, "block " + std::to_string(block) + " is alike block " +
                              std::to_string(alike) + ", which has the strategies");
  const std::vector<Strategy>& list = analysis.strategies[block].list;
  const int count = static_cast<int>(list.size());
  require(strategy >= 0 && strategy < count, "strategy " + std::to_string(strategy) + " of " +
                                                 std::to_string(count) + " of block " +
                                                 std::to_string(block));
  const int64_t granule = list[strategy].granule;
  require(pieces > 0 && granule % pieces == 0,
          std::to_string(pieces) + " pieces do not divide " + std::to_string(granule));
  return list[strategy];
}

}  // namespace

std::string BlockModule(const Analysis& analysis, int block, int strategy, int pieces) {
  const Strategy& chosen = Checked(analysis, block, strategy, pieces);
  return BlockWriter(analysis, block, chosen, pieces).Write();
}

}  // namespace cfp
