// See slice_rules.h; each function carries the label of its clause in docs/spec.md.
#include "slice_rules.h"

namespace cfp {
namespace {

bool Divides(int64_t divisor, int64_t number) { return divisor > 0 && number % divisor == 0; }

void WriteSlicedDim(RuleWriter& rule, int64_t dim, int64_t start, int64_t stride) {
  const int64_t size = rule.operand_dims(0)[dim];
  const int64_t part = rule.result_dims()[dim];
  if (part == size) {
    rule.Add(size, FactorKind::kPass).OnOperand(0, dim).OnResult(dim);
  } else if (stride == 1 && Divides(part, size) && Divides(part, start)) {
    const int64_t parts = size / part;
    rule.Add(parts, FactorKind::kReplicate).OnOperand(0, dim);
    rule.Add(part, FactorKind::kPass).OnOperand(0, dim, parts).OnResult(dim);
  } else if (Divides(part, size) && size / part == stride && start < stride) {
    rule.Add(part, FactorKind::kPass).OnOperand(0, dim).OnResult(dim);
    rule.Add(stride, FactorKind::kReplicate).OnOperand(0, dim, part);
  } else {
    rule.Add(size, FactorKind::kPermute).OnOperand(0, dim);
    rule.Add(part, FactorKind::kPermute).OnResult(dim);
  }
}

struct Padding {
  int64_t low, high, interior;
};

// The mirror image of WriteSlicedDim, as the gradient of a slice is a pad.
void WritePaddedDim(RuleWriter& rule, int64_t dim, const Padding& padding) {
  const int64_t part = rule.operand_dims(0)[dim];
  const int64_t size = rule.result_dims()[dim];
  const bool inside = padding.low >= 0 && padding.high >= 0 && Divides(part, size);
  const int64_t parts = inside ? size / part : 1;
  if (padding.low == 0 && padding.high == 0 && part == size) {
    rule.Add(size, FactorKind::kPass).OnOperand(0, dim).OnResult(dim);
  } else if (inside && padding.interior == 0 && padding.low % part == 0) {
    rule.Add(parts, FactorKind::kPermute).OnResult(dim);
    rule.Add(part, FactorKind::kPass).OnOperand(0, dim).OnResult(dim, parts);
  } else if (inside && padding.interior == parts - 1 && padding.low < parts) {
    rule.Add(part, FactorKind::kPass).OnOperand(0, dim).OnResult(dim);
    rule.Add(parts, FactorKind::kPermute).OnResult(dim, part);
  } else {
    rule.Add(part, FactorKind::kPermute).OnOperand(0, dim);
    rule.Add(size, FactorKind::kPermute).OnResult(dim);
  }
}

bool PartsAreEqual(const RuleWriter& rule, int64_t dim) {
  for (size_t i = 1; i < rule.num_operands(); ++i) {
    if (rule.operand_dims(i)[dim] != rule.operand_dims(0)[dim]) return false;
  }
  return true;
}

void WriteConcatenatedDim(RuleWriter& rule, int64_t dim) {
  if (PartsAreEqual(rule, dim)) {
    const int64_t parts = static_cast<int64_t>(rule.num_operands());
    rule.Add(parts, FactorKind::kPermute).OnResult(dim);
    Placement part = rule.Add(rule.operand_dims(0)[dim], FactorKind::kPass).OnResult(dim, parts);
    for (size_t i = 0; i < rule.num_operands(); ++i) part.OnOperand(i, dim);
    return;
  }
  for (size_t i = 0; i < rule.num_operands(); ++i) {
    rule.Add(rule.operand_dims(i)[dim], FactorKind::kPermute).OnOperand(i, dim);
  }
  rule.Add(rule.result_dims()[dim], FactorKind::kPermute).OnResult(dim);
}

}  // namespace

void WriteSlice(RuleWriter& rule) {  // [R16]
  const Numbers starts = rule.list(rule.attributes().slice_starts);
  const Numbers strides = rule.list(rule.attributes().slice_strides);
  const int64_t rank = rule.result_dims().size();
  for (int64_t d = 0; d < rank; ++d) WriteSlicedDim(rule, d, starts[d], strides[d]);
}

void WritePad(RuleWriter& rule) {  // [R17]
  const Numbers padding = rule.list(rule.attributes().padding);
  const int64_t rank = rule.result_dims().size();
  for (int64_t d = 0; d < rank; ++d) {
    WritePaddedDim(rule, d, {padding[3 * d], padding[3 * d + 1], padding[3 * d + 2]});
  }
}

void WriteConcatenate(RuleWriter& rule) {  // [R18]
  const int64_t joined = rule.list(rule.attributes().dimensions)[0];
  const Numbers result = rule.result_dims();
  for (int64_t d = 0; d < result.size(); ++d) {
    if (d == joined) {
      WriteConcatenatedDim(rule, d);
      continue;
    }
    Placement placement = rule.Add(result[d], FactorKind::kPass).OnResult(d);
    for (size_t i = 0; i < rule.num_operands(); ++i) placement.OnOperand(i, d);
  }
}

void WriteDynamicSlice(RuleWriter& rule) {  // [R19]
  const Numbers array = rule.operand_dims(0);
  const Numbers result = rule.result_dims();
  for (int64_t d = 0; d < array.size(); ++d) {
    if (array[d] == result[d]) {
      rule.Add(array[d], FactorKind::kPass).OnOperand(0, d).OnResult(d);
      continue;
    }
    rule.Add(array[d], FactorKind::kPermute).OnOperand(0, d);
    rule.Add(result[d], FactorKind::kPermute).OnResult(d);
  }
}

void WriteDynamicUpdateSlice(RuleWriter& rule) {  // [R19]
  const Numbers array = rule.operand_dims(0);
  const Numbers update = rule.operand_dims(1);
  for (int64_t d = 0; d < array.size(); ++d) {
    const bool covered = array[d] == update[d];
    Placement placement = rule.Add(array[d], covered ? FactorKind::kPass : FactorKind::kPermute)
                              .OnOperand(0, d)
                              .OnResult(d);
    if (covered) {
      placement.OnOperand(1, d);
    } else {
      rule.Add(update[d], FactorKind::kPermute).OnOperand(1, d);
    }
  }
}

}  // namespace cfp
