// Whatever shapes and attributes an op claims to have, its rule is a rule or an HloError: every
// opcode, with lists of numbers that mostly fit nothing. The sanitizers watch.
#include <random>

#include "hlo_error.h"
#include "partition_rules.h"
#include "rule_testing.h"
#include "testing.h"

namespace cfp::testing {
namespace {

constexpr int kTriesPerOpcode = 300;
constexpr int kLastOpcode = static_cast<int>(Opcode::kBranch);

class Dice {
 public:
  int64_t Pick(const Dims& from) { return from[generator_() % from.size()]; }
  Dims List(const Dims& from, size_t max_size) {
    Dims list(generator_() % (max_size + 1));
    for (int64_t& number : list) number = Pick(from);
    return list;
  }

 private:
  std::mt19937 generator_{7};
};

const Dims kSizes = {0, 1, 2, 3, 6, 8, int64_t{1} << 13};
const Dims kNumbers = {0, 0, 1, 1, 2, 3, 4, 6, -1, 70000, INT64_MIN, INT64_MAX};

void RollAttributes(OneOp* op, Dice* dice) {
  GatherAttributes& gather = op->gather();
  ConvAttributes& conv = op->conv();
  Attributes& a = op->attributes();
  for (Ints* list :
       {&a.dimensions, &a.slice_starts, &a.slice_limits, &a.slice_strides, &a.padding, &a.window,
        &a.dot.lhs_contracting, &a.dot.rhs_contracting, &a.dot.lhs_batch, &a.dot.rhs_batch,
        &gather.window_dims, &gather.collapsed_dims, &gather.index_map,
        &gather.operand_batching_dims, &gather.indices_batching_dims, &conv.input_spatial,
        &conv.kernel_spatial, &conv.output_spatial}) {
    *list = op->List(dice->List(kNumbers, list == &a.window ? 28 : 5));
  }
  for (int64_t* number :
       {&gather.index_vector_dim, &conv.input_batch, &conv.input_feature, &conv.kernel_input,
        &conv.kernel_output, &conv.output_batch, &conv.output_feature, &conv.feature_groups,
        &conv.batch_groups, &a.index}) {
    *number = dice->Pick(kNumbers);
  }
  a.custom_call_target = dice->Pick({0, 1}) == 0 ? "Sharding" : "TopK";
}

OneOp RollOp(Opcode opcode, Dice* dice) {
  std::vector<Dims> operands(static_cast<size_t>(dice->Pick({0, 1, 2, 3, 4, 5})));
  // BuildGraph sees to it that an element is one of something.
  if (opcode == Opcode::kGetTupleElement && operands.empty()) operands.emplace_back();
  for (Dims& dims : operands) dims = dice->List(kSizes, 4);
  OneOp op(opcode, dice->List(kSizes, 4), operands);
  RollAttributes(&op, dice);
  if (dice->Pick({0, 0, 0, 1}) == 1) op.MakeTuple(&op.op(), {dice->List(kSizes, 4), {}});
  op.op().combiner = dice->Pick({0, 1}) == 0 ? Combiner::kAdd : Combiner::kOther;
  return op;
}

// Every site of the rule names a dimension, and sizes are positive.
bool IsSound(const Graph& graph, OpId op, const Rule& rule) {
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    if (rule.factors[f].size <= 1) return false;
    for (int i = 0; i < rule.num_operands; ++i) {
      const int64_t rank = static_cast<int64_t>(graph.dims(graph.Reads(op)[i]).size());
      if (rule.operand_site(f, i).dim >= rank) return false;
    }
  }
  return true;
}

TEST(NoOpWhateverItClaimsCrashes) {
  Dice dice;
  Rule rule;
  int rules = 0, errors = 0;
  for (int opcode = 0; opcode <= kLastOpcode; ++opcode) {
    for (int i = 0; i < kTriesPerOpcode; ++i) {
      OneOp op = RollOp(static_cast<Opcode>(opcode), &dice);
      const OpId id = static_cast<OpId>(op.graph().ops.size()) - 1;
      try {
        IsContraction(op.graph(), id);
        FillPartitionRule(op.graph(), id, &rule);
        EXPECT_TRUE(IsSound(op.graph(), id, rule));
        ++rules;
      } catch (const HloError&) {
        ++errors;
      }
    }
  }
  EXPECT_TRUE(rules > 0);
  EXPECT_TRUE(errors > 0);
}

}  // namespace
}  // namespace cfp::testing
