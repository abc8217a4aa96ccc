// Small random changes to a protobuf, for hlo_fuzz.cc: of its bytes, and of its fields with all
// lengths put right again.
//
//   Mutator mutator(7);
//   std::string changed = mutator.Mutate(bytes);   // the same for the same seed and the same calls
//   before
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "hlo_error.h"
#include "wire.h"

namespace cfp {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Mutate(std::string bytes) {
    for (size_t edits = 1 + Below(4); edits > 0 && !bytes.empty(); --edits) {
      if (Below(4) == 0) {
        EditBytes(&bytes);
      } else {
        bytes = EditFields(bytes);
      }
    }
    return bytes;
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void EditBytes(std::string* bytes) {
    const size_t at = Below(bytes->size());
    const size_t length = 1 + Below(std::min<size_t>(64, bytes->size() - at));
    switch (Below(6)) {
      case 0:
        (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << Below(8)));
        break;
      case 1:
        (*bytes)[at] = static_cast<char>(random_());
        break;
      case 2:
        bytes->resize(at);
        break;
      case 3:
        bytes->insert(at, 1, static_cast<char>(random_()));
        break;
      case 4:
        bytes->erase(at, length);
        break;
      default:
        bytes->insert(Below(bytes->size()), bytes->substr(at, length));
    }
  }

  // Edits one field of a message, or of a message in it.
  std::string EditFields(std::string_view message) {
    std::vector<WireField> fields;
    if (!Parse(message, &fields) || fields.empty()) {
      std::string bytes(message);
      if (!bytes.empty()) EditBytes(&bytes);
      return bytes;
    }
    const size_t edited = Below(fields.size());
    std::string out;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i == edited) {
        AppendEdited(fields, i, &out);
      } else {
        out.append(fields[i].wire);
      }
    }
    return out;
  }

  void AppendEdited(const std::vector<WireField>& fields, size_t edited, std::string* out) {
    const WireField& field = fields[edited];
    const bool goes_deeper =
        field.type == WireType::kBytes && !field.bytes.empty() && Below(8) != 0;
    if (goes_deeper) return AppendBytesField(out, field.number, EditFields(field.bytes));
    switch (Below(5)) {
      case 0:
        return;  // dropped
      case 1:
        out->append(field.wire);
        out->append(field.wire);
        return;
      case 2:  // another field of the message, so that ids, shapes and bodies change places
        out->append(fields[Below(fields.size())].wire);
        return;
      default:
        AppendVarintField(out, field.number, InterestingInteger(field.value));
    }
  }

  uint64_t InterestingInteger(uint64_t value) {
    const uint64_t integers[] = {
        0,   1,     2,           3,         7,         13,        255,       1u << 16,   1u << 31,
        ~0u, ~0ull, ~0ull << 63, value + 1, value - 1, value * 2, value ^ 8, 1ull << 40, ~0ull / 2};
    return integers[Below(std::size(integers))];
  }

  static bool Parse(std::string_view message, std::vector<WireField>* fields) {
    try {
      WireReader reader(message);
      for (WireField field; reader.Next(&field);) fields->push_back(field);
      return true;
    } catch (const HloError&) {
      return false;  // text, or packed integers
    }
  }

  std::mt19937_64 random_;
};

}  // namespace cfp
