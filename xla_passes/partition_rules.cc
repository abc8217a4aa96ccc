// The one switch over opcodes. It sorts every opcode into a family of ops that split alike; a table
// says which clause of docs/spec.md a family follows and which function writes its factors.
#include "partition_rules.h"

#include <string>

#include "contraction_rules.h"
#include "custom_call_rules.h"
#include "hlo_error.h"
#include "layout_rules.h"
#include "lookup_rules.h"
#include "rule_writer.h"
#include "scaled_dot_rule.h"
#include "slice_rules.h"
#include "whole_dim_rules.h"
#include "window_rules.h"

namespace cfp {
namespace {

struct Family {
  const char* label;
  void (*write)(RuleWriter&);
};

// clang-format off
constexpr Family
    kElementwise{"R1", WriteElementwise},
    kBroadcast{"R2", WriteBroadcast},
    kSource{"R3", WriteSource},
    kCarry{"R4", WriteCarry},
    kRegionEnd{"R4", WriteRegionEnd},
    kTranspose{"R5", WriteTranspose},
    kReverse{"R6", WriteReverse},
    kReshape{"R7", WriteReshape},
    kBitcast{"R7", WriteBitcast},
    kBitcastConvert{"R8", WriteBitcastConvert},
    kGetTupleElement{"R9", WriteGetTupleElement},
    kDot{"R10", WriteDot},
    kRaggedDot{"R11", WriteRaggedDot},
    kScaledDot{"R12", WriteScaledDot},
    kReduce{"R13", WriteReduce},
    kGather{"R14", WriteGather},
    kScatter{"R15", WriteScatter},
    kSlice{"R16", WriteSlice},
    kPad{"R17", WritePad},
    kConcatenate{"R18", WriteConcatenate},
    kDynamicSlice{"R19", WriteDynamicSlice},
    kDynamicUpdateSlice{"R19", WriteDynamicUpdateSlice},
    kSort{"R20", WriteSort},
    kTopK{"R21", WriteLastDimWhole},
    kMatrix{"R21", WriteMatrixWhole},
    kFft{"R21", WriteFft},
    kBatchNorm{"R22", WriteBatchNorm},
    kBatchNormInference{"R22", WriteBatchNormInference},
    kConvolution{"R23", WriteConvolution},
    kReduceWindow{"R25", WriteReduceWindow},
    kSelectAndScatter{"R26", WriteSelectAndScatter},
    kCustomCall{"R27", WriteCustomCall},
    kBarrier{"R28", WriteBarrier};
// clang-format on

const Family& FamilyOf(Opcode opcode) {
  // clang-format off
  switch (opcode) {
    case Opcode::kAbs: case Opcode::kAcos: case Opcode::kAcosh: case Opcode::kAdd:
    case Opcode::kAddDependency: case Opcode::kAnd: case Opcode::kAsin: case Opcode::kAsinh:
    case Opcode::kAtan2: case Opcode::kAtanh: case Opcode::kCbrt: case Opcode::kCeil:
    case Opcode::kClamp: case Opcode::kCompare: case Opcode::kComplex: case Opcode::kConvert:
    case Opcode::kCopy: case Opcode::kCosh: case Opcode::kCosine: case Opcode::kCountLeadingZeros:
    case Opcode::kDivide: case Opcode::kDomain: case Opcode::kErf: case Opcode::kExp:
    case Opcode::kExpm1: case Opcode::kFloor: case Opcode::kImag: case Opcode::kIsFinite:
    case Opcode::kLog: case Opcode::kLog1p: case Opcode::kLogistic: case Opcode::kMap:
    case Opcode::kMaximum: case Opcode::kMinimum: case Opcode::kMultiply: case Opcode::kNegate:
    case Opcode::kNot: case Opcode::kOptimizationBarrier: case Opcode::kOr: case Opcode::kPopcnt:
    case Opcode::kPower: case Opcode::kReal: case Opcode::kReducePrecision: case Opcode::kRemainder:
    case Opcode::kRoundNearestAfz: case Opcode::kRoundNearestEven: case Opcode::kRsqrt:
    case Opcode::kSelect: case Opcode::kShiftLeft: case Opcode::kShiftRightArithmetic:
    case Opcode::kShiftRightLogical: case Opcode::kSign: case Opcode::kSine: case Opcode::kSinh:
    case Opcode::kSqrt: case Opcode::kStochasticConvert: case Opcode::kSubtract:
    case Opcode::kTan: case Opcode::kTanh: case Opcode::kXor:
      return kElementwise;
    case Opcode::kBroadcast: return kBroadcast;
    case Opcode::kConstant: case Opcode::kIota: case Opcode::kParameter: case Opcode::kRng:
    case Opcode::kRngBitGenerator:
      return kSource;
    case Opcode::kCarry: return kCarry;
    case Opcode::kBranch: case Opcode::kLoop: case Opcode::kTuple:
      return kRegionEnd;
    case Opcode::kTranspose: return kTranspose;
    case Opcode::kReverse: return kReverse;
    case Opcode::kReshape: return kReshape;
    case Opcode::kBitcast: return kBitcast;
    case Opcode::kBitcastConvert: return kBitcastConvert;
    case Opcode::kGetTupleElement: return kGetTupleElement;
    case Opcode::kDot: return kDot;
    case Opcode::kRaggedDot: return kRaggedDot;
    case Opcode::kScaledDot: return kScaledDot;
    case Opcode::kReduce: return kReduce;
    case Opcode::kGather: return kGather;
    case Opcode::kScatter: return kScatter;
    case Opcode::kSlice: return kSlice;
    case Opcode::kPad: return kPad;
    case Opcode::kConcatenate: return kConcatenate;
    case Opcode::kDynamicSlice: return kDynamicSlice;
    case Opcode::kDynamicUpdateSlice: return kDynamicUpdateSlice;
    case Opcode::kSort: return kSort;
    case Opcode::kTopK: return kTopK;
    case Opcode::kCholesky: case Opcode::kTriangularSolve:
      return kMatrix;
    case Opcode::kFft: return kFft;
    case Opcode::kBatchNormGrad: case Opcode::kBatchNormTraining:
      return kBatchNorm;
    case Opcode::kBatchNormInference: return kBatchNormInference;
    case Opcode::kConvolution: return kConvolution;
    case Opcode::kReduceWindow: return kReduceWindow;
    case Opcode::kSelectAndScatter: return kSelectAndScatter;
    case Opcode::kCustomCall: return kCustomCall;
    case Opcode::kUnknown: case Opcode::kAfterAll: case Opcode::kAllGather:
    case Opcode::kAllGatherDone: case Opcode::kAllGatherStart: case Opcode::kAllReduce:
    case Opcode::kAllReduceDone: case Opcode::kAllReduceStart: case Opcode::kAllToAll:
    case Opcode::kAsyncDone: case Opcode::kAsyncStart: case Opcode::kAsyncUpdate:
    case Opcode::kCall: case Opcode::kCase: case Opcode::kCollectiveBroadcast:
    case Opcode::kCollectivePermute: case Opcode::kCollectivePermuteDone:
    case Opcode::kCollectivePermuteStart: case Opcode::kConditional: case Opcode::kCopyDone:
    case Opcode::kCopyStart: case Opcode::kDynamicReshape: case Opcode::kFusion:
    case Opcode::kGetDimensionSize: case Opcode::kInfeed: case Opcode::kOutfeed:
    case Opcode::kPartitionId: case Opcode::kRaggedAllToAll: case Opcode::kRecv:
    case Opcode::kRecvDone: case Opcode::kReduceScatter: case Opcode::kReplicaId:
    case Opcode::kRngGetAndUpdateState: case Opcode::kScan: case Opcode::kSend:
    case Opcode::kSendDone: case Opcode::kSetDimensionSize: case Opcode::kWhile:
      return kBarrier;
  }
  // clang-format on
  return kBarrier;
}

// Over how many products each element of a dot is summed.
int64_t SummedProducts(const OpView& dot) {
  const Numbers lhs = dot.operand_dims(0);
  int64_t count = 1;
  for (int64_t d : dot.list(dot.attributes().dot.lhs_contracting)) count *= lhs[d];
  return count;
}

// Readers of the rule look sizes up by the sites, so each must name a dimension that is there.
void RequireDimsExist(const OpView& op, const Rule& rule) {
  const size_t num_arrays = op.num_operands() + 1;
  for (size_t array = 0; array < num_arrays; ++array) {
    const bool is_operand = array < op.num_operands();
    const int64_t rank = (is_operand ? op.operand_dims(array) : op.result_dims()).size();
    for (size_t at = array; at < rule.sites.size(); at += num_arrays) {
      if (rule.sites[at].dim >= rank) throw std::out_of_range("no dimension of that number");
    }
  }
}

std::string MalformedText(const Graph& graph, OpId id, const std::out_of_range& error) {
  const Instruction& instruction = graph.instruction(id);
  return "the attributes of %" + std::string(instruction.name) + " (" +
         std::string(OpcodeText(graph.ops[id].opcode)) +
         ") do not fit its shapes: " + error.what() +
         ". The HLO is damaged or was edited; dump it again from the compiler.";
}

// Calls `read`, which may look up a dimension that the op says it has and has not.
template <typename Read>
auto Guarded(const Graph& graph, OpId op, Read read) {
  try {
    return read();
  } catch (const std::out_of_range& error) {
    throw HloError(MalformedText(graph, op, error));
  }
}

}  // namespace

void FillPartitionRule(const Graph& graph, OpId op, Rule* rule) {
  const Family& family = FamilyOf(graph.ops[op].opcode);
  rule->label = family.label;
  RuleWriter writer(graph, op, rule);
  Guarded(graph, op, [&] {
    family.write(writer);
    RequireDimsExist(writer, *rule);
  });
}

bool IsContraction(const Graph& graph, OpId op) {
  switch (graph.ops[op].opcode) {
    case Opcode::kConvolution:
    case Opcode::kRaggedDot:
    case Opcode::kScaledDot:
      return true;
    case Opcode::kDot:
      return Guarded(graph, op, [&] { return SummedProducts(OpView(graph, op)) > 1; });
    default:
      return false;
  }
}

bool IsElementwise(Opcode opcode) {
  const Family* family = &FamilyOf(opcode);
  return family == &kElementwise || family == &kBroadcast || family == &kTranspose ||
         family == &kReshape || family == &kBitcast || family == &kBitcastConvert;
}

bool IsView(Opcode opcode) {
  return opcode == Opcode::kTranspose || opcode == Opcode::kReshape || opcode == Opcode::kConvert;
}

}  // namespace cfp
