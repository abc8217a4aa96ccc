// Reads the attribute messages of an instruction; see hlo_attributes.h.
#include "hlo_attributes.h"

#include <array>
#include <limits>

#include "hlo_fields.h"

namespace cfp {
namespace {

using IntPool = std::vector<int64_t>;

// One dimension of a window, of a padding or of slices: a message whose fields 1, 2, … are
// integers.
template <size_t kCount>
void AppendDimension(WireReader reader, std::array<int64_t, kCount> integers, IntPool* ints,
                     Ints* run) {
  for (WireField field; reader.Next(&field);) {
    if (field.number <= kCount) integers[field.number - 1] = reader.Integer(field);
  }
  if (run->size == 0) run->begin = static_cast<uint32_t>(ints->size());
  ints->insert(ints->end(), integers.begin(), integers.end());
  run->size += kCount;
}

// Window and PaddingConfig: nothing but a list of dimensions.
template <size_t kCount>
void ReadDimensions(WireReader reader, const std::array<int64_t, kCount>& defaults, IntPool* ints,
                    Ints* run) {
  *run = Ints{};
  for (WireField field; reader.Next(&field);) {
    if (field.number == kDimensionsOfWindowOrPadding) {
      AppendDimension(reader.Message(field), defaults, ints, run);
    }
  }
}

// Size, stride, two pads, two dilations, reversal: strides and dilations that are not written
// are 1.
constexpr std::array<int64_t, kWindowIntegers> kWindowDefaults = {1, 1, 0, 0, 1, 1, 0};
constexpr std::array<int64_t, kPaddingIntegers> kPaddingDefaults = {0, 0, 0};
constexpr std::array<int64_t, kSliceIntegers> kSliceDefaults = {0, 0, 1};

void ReadDot(WireReader reader, IntPool* ints, DotAttributes* dot) {
  for (WireField field; reader.Next(&field);) {
    switch (field.number) {
      case DotField::kLhsContracting:
        AppendRun(reader, field, ints, &dot->lhs_contracting);
        break;
      case DotField::kRhsContracting:
        AppendRun(reader, field, ints, &dot->rhs_contracting);
        break;
      case DotField::kLhsBatch:
        AppendRun(reader, field, ints, &dot->lhs_batch);
        break;
      case DotField::kRhsBatch:
        AppendRun(reader, field, ints, &dot->rhs_batch);
        break;
    }
  }
}

void ReadRaggedDot(WireReader reader, IntPool* ints, DotAttributes* dot) {
  for (WireField field; reader.Next(&field);) {
    if (field.number == RaggedDotField::kDot) ReadDot(reader.Message(field), ints, dot);
  }
}

void ReadGather(WireReader reader, IntPool* ints, GatherAttributes* gather) {
  for (WireField field; reader.Next(&field);) {
    switch (field.number) {
      case GatherField::kWindowDims:
        AppendRun(reader, field, ints, &gather->window_dims);
        break;
      case GatherField::kCollapsedDims:
        AppendRun(reader, field, ints, &gather->collapsed_dims);
        break;
      case GatherField::kIndexMap:
        AppendRun(reader, field, ints, &gather->index_map);
        break;
      case GatherField::kIndexVectorDim:
        gather->index_vector_dim = reader.Integer(field);
        break;
      case GatherField::kOperandBatchingDims:
        AppendRun(reader, field, ints, &gather->operand_batching_dims);
        break;
      case GatherField::kIndicesBatchingDims:
        AppendRun(reader, field, ints, &gather->indices_batching_dims);
        break;
    }
  }
}

void ReadConvolutionNumber(const WireReader& reader, const WireField& field, ConvAttributes* conv) {
  switch (field.number) {
    case ConvolutionField::kKernelInput:
      conv->kernel_input = reader.Integer(field);
      break;
    case ConvolutionField::kKernelOutput:
      conv->kernel_output = reader.Integer(field);
      break;
    case ConvolutionField::kInputBatch:
      conv->input_batch = reader.Integer(field);
      break;
    case ConvolutionField::kInputFeature:
      conv->input_feature = reader.Integer(field);
      break;
    case ConvolutionField::kOutputBatch:
      conv->output_batch = reader.Integer(field);
      break;
    case ConvolutionField::kOutputFeature:
      conv->output_feature = reader.Integer(field);
      break;
  }
}

void ReadConvolution(WireReader reader, IntPool* ints, ConvAttributes* conv) {
  for (WireField field; reader.Next(&field);) {
    switch (field.number) {
      case ConvolutionField::kInputSpatial:
        AppendRun(reader, field, ints, &conv->input_spatial);
        break;
      case ConvolutionField::kKernelSpatial:
        AppendRun(reader, field, ints, &conv->kernel_spatial);
        break;
      case ConvolutionField::kOutputSpatial:
        AppendRun(reader, field, ints, &conv->output_spatial);
        break;
      default:
        ReadConvolutionNumber(reader, field, conv);
    }
  }
}

}  // namespace

void AppendRun(const WireReader& reader, const WireField& field, IntPool* ints, Ints* run) {
  if (run->size == 0) run->begin = static_cast<uint32_t>(ints->size());
  if (run->begin + size_t{run->size} != ints->size()) {
    reader.Fail("field " + std::to_string(field.number) + " comes in pieces, expected one run",
                field.wire.data());
  }
  reader.AppendIntegers(field, ints);
  if (ints->size() > std::numeric_limits<uint32_t>::max()) {
    reader.Fail("more than 2^32 integers", field.wire.data());
  }
  run->size = static_cast<uint32_t>(ints->size() - run->begin);
}

void ReadAttribute(const WireReader& reader, const WireField& field, HloModule* module,
                   Instruction* instruction, Ints* slices) {
  IntPool* const ints = &module->ints;
  const auto own = [&]() -> Attributes& { return module->OwnAttributes(instruction); };
  switch (field.number) {
    case InstructionField::kParameterNumber:
    case InstructionField::kTupleIndex:
      own().index = reader.Integer(field);
      break;
    case InstructionField::kDimensions:
      AppendRun(reader, field, ints, &own().dimensions);
      break;
    case InstructionField::kDynamicSliceSizes:
      AppendRun(reader, field, ints, &own().slice_sizes);
      break;
    case InstructionField::kSlices:
      AppendDimension(reader.Message(field), kSliceDefaults, ints, slices);
      break;
    case InstructionField::kWindow:
      ReadDimensions(reader.Message(field), kWindowDefaults, ints, &own().window);
      break;
    case InstructionField::kPadding:
      ReadDimensions(reader.Message(field), kPaddingDefaults, ints, &own().padding);
      break;
    case InstructionField::kDot:
      ReadDot(reader.Message(field), ints, &own().dot);
      break;
    case InstructionField::kRaggedDot:
      ReadRaggedDot(reader.Message(field), ints, &own().dot);
      break;
    case InstructionField::kGather:
    case InstructionField::kScatter:
      ReadGather(reader.Message(field), ints, &module->OwnGather(instruction));
      break;
    case InstructionField::kGatherSliceSizes:
      AppendRun(reader, field, ints, &module->OwnGather(instruction).slice_sizes);
      break;
    case InstructionField::kConvolution:
      ReadConvolution(reader.Message(field), ints, &module->OwnConv(instruction));
      break;
    case InstructionField::kFeatureGroups:
      module->OwnConv(instruction).feature_groups = reader.Integer(field);
      break;
    case InstructionField::kBatchGroups:
      module->OwnConv(instruction).batch_groups = reader.Integer(field);
      break;
    case InstructionField::kCustomCallTarget:
      own().custom_call_target = reader.Bytes(field);
      break;
    case InstructionField::kComparison:
      own().comparison = reader.Bytes(field);
      break;
    case InstructionField::kLiteral:
      own().literal = reader.Bytes(field);
      break;
  }
}

void SplitSlices(Ints slices, IntPool* ints, Attributes* attributes) {
  Ints* const lists[] = {&attributes->slice_starts, &attributes->slice_limits,
                         &attributes->slice_strides};
  for (uint32_t which = 0; which < kSliceIntegers; ++which) {
    lists[which]->begin = static_cast<uint32_t>(ints->size());
    lists[which]->size = slices.size / kSliceIntegers;
    for (uint32_t i = which; i < slices.size; i += kSliceIntegers) {
      ints->push_back((*ints)[slices.begin + i]);
    }
  }
}

}  // namespace cfp
