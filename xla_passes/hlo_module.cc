// What xla::PrimitiveType's numbers stand for: their spelling, width and kind, as one table.
#include "hlo_module.h"

#include <array>

namespace cfp {
namespace {

struct DTypeRow {
  std::string_view text = "invalid";
  int bit_width = 0;
  bool is_float = false;
};

// By number, as xla_data.proto assigns them.
constexpr std::array<DTypeRow, 35> kRows = {{
    {"invalid", 0, false},   {"pred", 8, false},      {"s8", 8, false},
    {"s16", 16, false},      {"s32", 32, false},      {"s64", 64, false},
    {"u8", 8, false},        {"u16", 16, false},      {"u32", 32, false},
    {"u64", 64, false},      {"f16", 16, true},       {"f32", 32, true},
    {"f64", 64, true},       {"tuple", 0, false},     {"opaque", 0, false},
    {"c64", 64, false},      {"bf16", 16, true},      {"token", 0, false},
    {"c128", 128, false},    {"f8e5m2", 8, true},     {"f8e4m3fn", 8, true},
    {"s4", 4, false},        {"u4", 4, false},        {"f8e4m3b11fnuz", 8, true},
    {"f8e5m2fnuz", 8, true}, {"f8e4m3fnuz", 8, true}, {"s2", 2, false},
    {"u2", 2, false},        {"f8e4m3", 8, true},     {"f8e3m4", 8, true},
    {"s1", 1, false},        {"u1", 1, false},        {"f4e2m1fn", 4, true},
    {"f8e8m0fnu", 8, true},  {"buffer", 0, false},
}};

const DTypeRow& RowOf(DType dtype) {
  const auto number = static_cast<size_t>(dtype);
  return kRows[number < kRows.size() ? number : 0];
}

}  // namespace

bool IsFloat(DType dtype) { return RowOf(dtype).is_float; }
int BitWidth(DType dtype) { return RowOf(dtype).bit_width; }
std::string_view DTypeText(DType dtype) { return RowOf(dtype).text; }

}  // namespace cfp
