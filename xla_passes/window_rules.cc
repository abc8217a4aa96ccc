// See window_rules.h; each function carries the label of its clause in docs/spec.md.
#include "window_rules.h"

#include "window.h"

namespace cfp {
namespace {

constexpr size_t kInput = 0, kKernel = 1;

int64_t Quotient(int64_t size, int64_t groups) {
  if (groups < 1 || size % groups != 0) throw std::out_of_range("groups do not divide a dimension");
  return size / groups;
}

// One spatial dimension of the input, the kernel and the result.
struct SpatialDim {
  int64_t input, kernel, result;
};

void WriteTiledSpatial(RuleWriter& rule, const SpatialDim& dim, const Window& window) {
  const int64_t cells = rule.result_dims()[dim.result];
  rule.Add(cells, FactorKind::kPass).OnOperand(kInput, dim.input).OnResult(dim.result);
  if (window.size == window.stride && !window.reversed) {
    rule.Add(window.size, FactorKind::kReduced)
        .OnOperand(kInput, dim.input, cells)
        .OnOperand(kKernel, dim.kernel);
    return;
  }
  rule.Add(window.stride, FactorKind::kReplicate).OnOperand(kInput, dim.input, cells);
  rule.Add(window.size, FactorKind::kReplicate).OnOperand(kKernel, dim.kernel);
}

void WriteCombedSpatial(RuleWriter& rule, const SpatialDim& dim, const Window& window) {
  rule.Add(window.size, FactorKind::kReduced)
      .OnOperand(kInput, dim.input)
      .OnOperand(kKernel, dim.kernel);
  rule.Add(window.dilation, FactorKind::kPass)
      .OnOperand(kInput, dim.input, window.size)
      .OnResult(dim.result);
}

void WriteStampedSpatial(RuleWriter& rule, const SpatialDim& dim, const Window& window) {
  const int64_t cells = rule.operand_dims(kInput)[dim.input];
  rule.Add(cells, FactorKind::kPass).OnOperand(kInput, dim.input).OnResult(dim.result);
  rule.Add(window.size, FactorKind::kReplicate)
      .OnOperand(kKernel, dim.kernel)
      .OnResult(dim.result, cells);
}

void WriteSpatial(RuleWriter& rule, const SpatialDim& dim, const Window& window) {  // [R24]
  const int64_t in = rule.operand_dims(kInput)[dim.input];
  const int64_t out = rule.result_dims()[dim.result];
  if (Tiles(window, in, out)) {
    WriteTiledSpatial(rule, dim, window);
  } else if (CombsThrough(window, in, out)) {
    WriteCombedSpatial(rule, dim, window);
  } else if (Stamps(window, in, out)) {
    WriteStampedSpatial(rule, dim, window);
  } else {
    WriteHalo(rule, window, 1, dim.input, dim.result);
    rule.Add(window.size, FactorKind::kReplicate).OnOperand(kKernel, dim.kernel);
  }
}

// Batch and features. Groups are the major factor of the features they divide; batch groups are
// also that of the input's batch. Without groups those factors have size 1 and vanish.
void WriteBatchAndFeatures(RuleWriter& rule, const ConvAttributes& conv) {
  const Numbers input = rule.operand_dims(kInput), kernel = rule.operand_dims(kKernel);
  const bool batch_grouped = conv.batch_groups > 1;
  const int64_t groups = batch_grouped ? conv.batch_groups : conv.feature_groups;
  Placement group = rule.Add(groups, FactorKind::kPass)
                        .OnOperand(kKernel, conv.kernel_output)
                        .OnResult(conv.output_feature);
  group.OnOperand(kInput, batch_grouped ? conv.input_batch : conv.input_feature);
  rule.Add(Quotient(input[conv.input_batch], conv.batch_groups), FactorKind::kPass)
      .OnOperand(kInput, conv.input_batch, conv.batch_groups)
      .OnResult(conv.output_batch);
  rule.Add(Quotient(kernel[conv.kernel_output], groups), FactorKind::kPass)
      .OnOperand(kKernel, conv.kernel_output, groups)
      .OnResult(conv.output_feature, groups);
  rule.Add(Quotient(input[conv.input_feature], conv.feature_groups), FactorKind::kReduced)
      .OnOperand(kInput, conv.input_feature, conv.feature_groups)
      .OnOperand(kKernel, conv.kernel_input);
}

}  // namespace

void WriteConvolution(RuleWriter& rule) {  // [R23]
  const ConvAttributes& conv = rule.conv();
  WriteBatchAndFeatures(rule, conv);
  const Numbers input = rule.list(conv.input_spatial), kernel = rule.list(conv.kernel_spatial);
  const Numbers result = rule.list(conv.output_spatial);
  const Numbers window = rule.list(rule.attributes().window);
  for (int64_t i = 0; i < input.size(); ++i) {
    WriteSpatial(rule, {input[i], kernel[i], result[i]}, WindowAt(window, i));
  }
}

void WriteReduceWindow(RuleWriter& rule) {  // [R25]
  const Numbers attributes = rule.list(rule.attributes().window);
  const Numbers array = rule.operand_dims(0), result = rule.result_dims();
  const size_t num_arrays = rule.num_operands() / 2;  // then as many initial values
  for (int64_t d = 0; d < array.size(); ++d) {
    const Window window = WindowAt(attributes, d);
    if (!Tiles(window, array[d], result[d])) {
      WriteHalo(rule, window, num_arrays, d, d);
      continue;
    }
    Placement cells = rule.Add(result[d], FactorKind::kPass).OnResult(d);
    for (size_t i = 0; i < num_arrays; ++i) cells.OnOperand(i, d);
    const bool all_read = window.size == window.stride;
    Placement cell =
        rule.Add(window.stride, all_read ? FactorKind::kReduced : FactorKind::kReplicate);
    for (size_t i = 0; i < num_arrays; ++i) cell.OnOperand(i, d, result[d]);
  }
}

void WriteSelectAndScatter(RuleWriter& rule) {  // [R26]
  const Numbers attributes = rule.list(rule.attributes().window);
  const Numbers array = rule.operand_dims(0), source = rule.operand_dims(1);
  for (int64_t d = 0; d < array.size(); ++d) {
    const Window window = WindowAt(attributes, d);
    if (array[d] != Wide{source[d]} * window.stride) {
      rule.Add(array[d], FactorKind::kHalo).OnOperand(0, d).OnResult(d);
      rule.Add(source[d], FactorKind::kHalo).OnOperand(1, d);
      continue;
    }
    const bool tiles = Tiles(window, array[d], source[d]);
    rule.Add(source[d], tiles ? FactorKind::kPass : FactorKind::kHalo)
        .OnOperand(0, d)
        .OnOperand(1, d)
        .OnResult(d);
    rule.Add(window.stride, FactorKind::kReplicate)
        .OnOperand(0, d, source[d])
        .OnResult(d, source[d]);
  }
}

}  // namespace cfp
