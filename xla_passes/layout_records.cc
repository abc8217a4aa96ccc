#include "layout_records.h"

#include "hlo_error.h"

namespace cfp {
namespace {

CutRecord Record(const Split& split) { return {split.dim, split.dim < 0 ? 1 : split.outer}; }

std::vector<PlacedRecord> RecordCuts(const std::vector<Split>& splits) {
  std::vector<PlacedRecord> cuts;
  for (size_t i = 0; i < splits.size(); ++i) {
    if (splits[i].dim >= 0) cuts.push_back({static_cast<int>(i), Record(splits[i])});
  }
  return cuts;
}

Axis ReadAxis(const AxisRecord& record) {
  Axis axis{record.size, record.choice, {}};
  for (const CutRecord& cut : record.stored) {
    if (cut.dim != static_cast<int16_t>(cut.dim))
      throw HloError("no array has a dimension " + std::to_string(cut.dim));
    axis.stored.push_back({static_cast<int16_t>(cut.dim), cut.outer, 1});
  }
  return axis;
}

LayoutRecord RecordLayout(const AxisLayout& layout) {
  LayoutRecord record{RecordCuts(layout.of), RecordCuts(layout.wanted), {}, {}};
  for (const OperandUse& use : layout.uses)
    record.uses.push_back({use.op, use.operand, Record(use.split)});
  for (const Movement& one : layout.movements)
    record.movements.push_back(
        {std::string(MovementText(one.kind)), one.value, one.reader, one.times});
  return record;
}

}  // namespace

std::vector<LayoutRecord> MakeLayouts(const Analysis& analysis, const std::vector<AxisRecord>& axes,
                                      const std::vector<int>& continues) {
  std::vector<Axis> read;
  for (const AxisRecord& axis : axes) read.push_back(ReadAxis(axis));
  std::vector<LayoutRecord> records;
  for (const AxisLayout& layout : LayOut(analysis, read, continues))
    records.push_back(RecordLayout(layout));
  return records;
}

}  // namespace cfp
