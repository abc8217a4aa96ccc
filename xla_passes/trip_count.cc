// The counting pattern, and `known_trip_count` where XLA has left it; see trip_count.h.
#include "trip_count.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "hlo_fields.h"
#include "wire.h"

namespace cfp {
namespace {

using Number = __int128;  // sums and differences of 64-bit integers never overflow

// `counter direction limit`, with the counter going from `start` in steps of `step`.
struct Counting {
  std::string_view direction;
  int64_t start, step, limit;
};

std::optional<int64_t> ScalarLiteral(const Attributes& constant) {
  WireReader reader(constant.literal);
  std::vector<int64_t> integers;
  for (WireField field; reader.Next(&field);) {
    const bool is_integers =
        field.number >= LiteralField::kS32s && field.number <= LiteralField::kU64s;
    if (is_integers) reader.AppendIntegers(field, &integers);
  }
  return integers.size() == 1 ? std::optional(integers[0]) : std::nullopt;
}

class LoopReader {
 public:
  LoopReader(const FlatGraph& flat, int32_t region)
      : flat_(flat), graph_(flat.graph), region_(region) {}

  std::optional<Counting> Find() const {
    const OpId compare = flat_.Resolve(graph_.regions[region_].condition);
    if (!Is(compare, Opcode::kCompare, 2)) return std::nullopt;
    const OpId left = flat_.Resolve(graph_.operands(compare)[0]),
               right = flat_.Resolve(graph_.operands(compare)[1]);
    const std::string_view direction = graph_.attributes(compare).comparison;
    if (const auto limit = Constant(right)) return Count(left, direction, *limit);
    if (const auto limit = Constant(left)) return Count(right, Mirrored(direction), *limit);
    return std::nullopt;
  }

 private:
  static std::string_view Mirrored(std::string_view direction) {
    if (direction == "LT") return "GT";
    if (direction == "GT") return "LT";
    if (direction == "LE") return "GE";
    if (direction == "GE") return "LE";
    return direction;
  }

  std::optional<Counting> Count(OpId counter, std::string_view direction, int64_t limit) const {
    const bool is_ours = Is(counter, Opcode::kCarry, 1) && graph_.ops[counter].region == region_;
    if (!is_ours) return std::nullopt;
    const auto start = Constant(flat_.Resolve(graph_.operands(counter)[0]));
    const auto step = Step(counter, flat_.Resolve(graph_.next[counter]));
    if (!start || !step) return std::nullopt;
    return Counting{direction, *start, *step, limit};
  }

  // The constant that a body adds to its counter.
  std::optional<int64_t> Step(OpId counter, OpId next) const {
    const bool adds = Is(next, Opcode::kAdd, 2), subtracts = Is(next, Opcode::kSubtract, 2);
    if (!adds && !subtracts) return std::nullopt;
    const OpId left = flat_.Resolve(graph_.operands(next)[0]),
               right = flat_.Resolve(graph_.operands(next)[1]);
    if (adds && left == counter) return Constant(right);
    if (adds && right == counter) return Constant(left);
    const auto step = Constant(right);
    if (left != counter || !step || *step == INT64_MIN) return std::nullopt;
    return -*step;
  }

  std::optional<int64_t> Constant(OpId op) const {
    const bool is_scalar = Is(op, Opcode::kConstant, 0) && graph_.dims(op).empty();
    return is_scalar ? ScalarLiteral(graph_.attributes(op)) : std::nullopt;
  }

  bool Is(OpId op, Opcode opcode, uint32_t operands) const {
    return graph_.ops[op].opcode == opcode && graph_.ops[op].operands_size == operands;
  }

  const FlatGraph& flat_;
  const Graph& graph_;
  int32_t region_;
};

// Steps needed to come from 0 to `distance` or beyond.
std::optional<int64_t> Steps(Number distance, Number step) {
  if (distance <= 0) return 0;
  if (step <= 0) return std::nullopt;  // never arrives
  const Number steps = (distance + step - 1) / step;
  return steps <= INT64_MAX ? std::optional(static_cast<int64_t>(steps)) : std::nullopt;
}

std::optional<int64_t> Trips(const Counting& counting) {
  const Number up = Number{counting.limit} - counting.start;
  const Number step = counting.step;
  if (counting.direction == "LT") return Steps(up, step);
  if (counting.direction == "LE") return Steps(up + 1, step);
  if (counting.direction == "GT") return Steps(-up, -step);
  if (counting.direction == "GE") return Steps(1 - up, -step);
  if (counting.direction != "NE" || step == 0 || up % step != 0 || up / step < 0) {
    return std::nullopt;
  }
  return Steps(up / step, 1);
}

// From `{"known_trip_count":{"n":"12"}, …}`, which XLA's own passes leave in the backend config of
// a while.
std::optional<int64_t> KnownTripCount(const Instruction& loop) {
  WireReader reader(loop.wire);
  std::string_view config;
  for (WireField field; reader.Next(&field);) {
    if (field.number == InstructionField::kBackendConfig) config = field.bytes;
  }
  const size_t key = config.find("\"known_trip_count\"");
  if (key == std::string_view::npos) return std::nullopt;
  const size_t digits = config.find_first_of("0123456789}", key);
  int64_t trips = 0;
  if (digits == std::string_view::npos) return std::nullopt;
  const auto parsed = std::from_chars(config.data() + digits, config.data() + config.size(), trips);
  return parsed.ec == std::errc() ? std::optional(trips) : std::nullopt;
}

}  // namespace

void ReadTripCount(FlatGraph& flat, int32_t region_id) {
  Region& region = flat.graph.regions[region_id];
  const std::optional<Counting> counting = LoopReader(flat, region_id).Find();
  std::optional<int64_t> trips = counting ? Trips(*counting) : std::nullopt;
  if (!trips) trips = KnownTripCount(flat.graph.instruction(region.owner));
  region.trip_count_known = trips.has_value();
  region.trip_count = trips.value_or(1);
}

}  // namespace cfp
