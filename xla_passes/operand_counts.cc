// Operand counts by opcode; see operand_counts.h.
#include "operand_counts.h"

#include <limits>

namespace cfp {
namespace {

constexpr uint32_t kAnyNumber = std::numeric_limits<uint32_t>::max();

}  // namespace

OperandCount OperandCountOf(Opcode opcode) {
  // clang-format off
  switch (opcode) {
    case Opcode::kConstant: case Opcode::kIota: case Opcode::kParameter: case Opcode::kPartitionId:
    case Opcode::kReplicaId: case Opcode::kRngGetAndUpdateState:
      return {0, 0};
    case Opcode::kAbs: case Opcode::kAcos: case Opcode::kAcosh: case Opcode::kAsin: case Opcode::kAsinh:
    case Opcode::kAtanh: case Opcode::kBitcast: case Opcode::kBitcastConvert: case Opcode::kBroadcast:
    case Opcode::kCarry: case Opcode::kCbrt: case Opcode::kCeil: case Opcode::kCholesky: case Opcode::kConvert:
    case Opcode::kCosh: case Opcode::kCosine: case Opcode::kCountLeadingZeros: case Opcode::kErf: case Opcode::kExp:
    case Opcode::kExpm1: case Opcode::kFft: case Opcode::kFloor: case Opcode::kGetDimensionSize:
    case Opcode::kGetTupleElement: case Opcode::kImag: case Opcode::kIsFinite: case Opcode::kLog: case Opcode::kLog1p:
    case Opcode::kLogistic: case Opcode::kNegate: case Opcode::kNot: case Opcode::kPopcnt: case Opcode::kReal:
    case Opcode::kReducePrecision: case Opcode::kReshape: case Opcode::kReverse: case Opcode::kRngBitGenerator:
    case Opcode::kRoundNearestAfz: case Opcode::kRoundNearestEven: case Opcode::kRsqrt: case Opcode::kSign:
    case Opcode::kSine: case Opcode::kSinh: case Opcode::kSlice: case Opcode::kSqrt: case Opcode::kTan:
    case Opcode::kTanh: case Opcode::kTopK: case Opcode::kTranspose:
      return {1, 1};
    case Opcode::kAdd: case Opcode::kAddDependency: case Opcode::kAnd: case Opcode::kAtan2: case Opcode::kCompare:
    case Opcode::kComplex: case Opcode::kConvolution: case Opcode::kDivide: case Opcode::kDot: case Opcode::kGather:
    case Opcode::kMaximum: case Opcode::kMinimum: case Opcode::kMultiply: case Opcode::kOr: case Opcode::kPad:
    case Opcode::kPower: case Opcode::kRemainder: case Opcode::kShiftLeft: case Opcode::kShiftRightArithmetic:
    case Opcode::kShiftRightLogical: case Opcode::kStochasticConvert: case Opcode::kSubtract:
    case Opcode::kTriangularSolve: case Opcode::kXor:
      return {2, 2};
    case Opcode::kBatchNormTraining: case Opcode::kClamp: case Opcode::kRaggedDot: case Opcode::kSelect:
    case Opcode::kSelectAndScatter:
      return {3, 3};
    case Opcode::kBatchNormGrad: case Opcode::kBatchNormInference:
      return {5, 5};
    case Opcode::kBranch: case Opcode::kConcatenate: case Opcode::kCopy: case Opcode::kDomain: case Opcode::kMap:
    case Opcode::kSort:
      return {1, kAnyNumber};
    case Opcode::kDynamicSlice: case Opcode::kReduce: case Opcode::kReduceWindow: case Opcode::kScaledDot:
      return {2, kAnyNumber};
    case Opcode::kDynamicUpdateSlice: case Opcode::kScatter:
      return {3, kAnyNumber};
    default:
      return {0, kAnyNumber};
  }
  // clang-format on
}

}  // namespace cfp
