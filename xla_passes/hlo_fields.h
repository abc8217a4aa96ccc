// The field numbers of hlo.proto and xla_data.proto that this core reads; a number not listed here
// is carried along unread (and counts in an instruction's fingerprint).
#pragma once

#include <cstdint>

namespace cfp {

struct HloProtoField {
  enum : uint32_t { kModule = 1 };
};

struct ModuleField {
  enum : uint32_t {
    kName = 1,
    kEntryName = 2,
    kComputations = 3,
    kEntryId = 6,
    kStackFrameIndex = 17,
  };
};

struct ComputationField {
  enum : uint32_t { kName = 1, kInstructions = 2, kId = 5, kRootId = 6, kIsFusion = 7 };
};

struct InstructionField {
  enum : uint32_t {
    kName = 1,
    kOpcode = 2,
    kShape = 3,
    kMetadata = 7,
    kLiteral = 8,
    kParameterNumber = 9,
    kTupleIndex = 13,
    kDimensions = 14,
    kWindow = 15,
    kConvolution = 16,
    kSlices = 17,
    kDynamicSliceSizes = 20,
    kPadding = 21,
    kChannelId = 26,
    kCustomCallTarget = 28,
    kDot = 30,
    kGather = 33,
    kGatherSliceSizes = 34,
    kId = 35,
    kOperands = 36,
    kControlPredecessors = 37,
    kCalled = 38,
    kSharding = 40,
    kBackendConfig = 43,
    kAllReduceId = 45,
    kScatter = 48,
    kFeatureGroups = 50,
    kDomainEntrySharding = 54,
    kDomainExitSharding = 55,
    kConstrainLayout = 56,
    kOperandShapesWithLayout = 57,
    kBatchGroups = 58,
    kParameterReplication = 61,
    kComparison = 63,
    kFrontendAttributes = 68,
    kOutputOperandAliasing = 74,
    kCustomCallSchedule = 76,
    kStatisticsViz = 82,
    kOriginalValue = 88,
    kRaggedDot = 90,
  };
};

struct ShapeField {
  enum : uint32_t { kElementType = 2, kDimensions = 3, kTupleShapes = 4, kLayout = 5 };
};

struct MetadataField {
  enum : uint32_t { kOpName = 2, kSourceFile = 3, kSourceLine = 4, kStackFrameId = 15 };
};

struct StackFrameIndexField {
  enum : uint32_t { kFileNames = 1, kFileLocations = 3, kStackFrames = 4 };
};

struct FileLocationField {
  enum : uint32_t { kFileNameId = 1, kLine = 3 };
};

struct StackFrameField {
  enum : uint32_t { kFileLocationId = 1 };
};

struct LiteralField {
  enum : uint32_t { kShape = 1, kS32s = 4, kU64s = 7 };  // the wide integers are 4 to 7
};

struct DotField {
  enum : uint32_t { kLhsContracting = 1, kRhsContracting = 2, kLhsBatch = 3, kRhsBatch = 4 };
};

struct RaggedDotField {
  enum : uint32_t { kDot = 1 };
};

// Scatter numbers the same things the same way.
struct GatherField {
  enum : uint32_t {
    kWindowDims = 1,
    kCollapsedDims = 2,
    kIndexMap = 3,
    kIndexVectorDim = 4,
    kOperandBatchingDims = 5,
    kIndicesBatchingDims = 6,
  };
};

struct ConvolutionField {
  enum : uint32_t {
    kKernelInput = 3,
    kKernelOutput = 4,
    kKernelSpatial = 6,
    kInputBatch = 7,
    kInputFeature = 8,
    kOutputBatch = 9,
    kOutputFeature = 10,
    kInputSpatial = 11,
    kOutputSpatial = 12,
  };
};

// One dimension each; numbered from 1 in the order in which Attributes keeps them.
constexpr uint32_t kWindowIntegers = 7;
constexpr uint32_t kPaddingIntegers = 3;
constexpr uint32_t kSliceIntegers = 3;
constexpr uint32_t kDimensionsOfWindowOrPadding = 1;

}  // namespace cfp
