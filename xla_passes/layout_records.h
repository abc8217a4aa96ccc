// A layout as plain records: what crosses the border to Python, and what Python says of an axis.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "axis_layout.h"

namespace cfp {

// How one op's result lies on one axis, or is used by a contraction; dim -1: whole.
struct CutRecord {
  int dim = -1;
  int64_t outer = 1;
};

struct PlacedRecord {
  int index = -1;
  CutRecord cut;
};

struct UseRecord {
  int op = -1;
  int operand = -1;
  CutRecord cut;
};

struct MovementRecord {
  std::string kind;  // "all-reduce", "reduce-scatter", "all-gather", "all-to-all", …
  int value = -1;
  int reader = -1;  // -1: the step's results
  int64_t times = 1;
};

struct LayoutRecord {
  std::vector<PlacedRecord> cuts;    // of the ops whose result is not whole
  std::vector<PlacedRecord> wanted;  // by number of the entry parameter, as its readers want it
  std::vector<UseRecord> uses;
  std::vector<MovementRecord> movements;
};

// What Python says of one axis: per entry parameter its cut; none: as its readers would have it.
struct AxisRecord {
  int64_t size = 1;
  std::vector<int> choice;
  std::vector<CutRecord> stored;
};

std::vector<LayoutRecord> MakeLayouts(const Analysis& analysis, const std::vector<AxisRecord>& axes,
                                      const std::vector<int>& continues);

}  // namespace cfp
