// The two directions of the opcode table: a sorted array for text -> enum, the enum itself for enum
// -> text.
#include "opcode.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cfp {
namespace {

constexpr std::array kTexts = {std::string_view("unknown"),
#define CFP_TEXT(name, text) std::string_view(text),
                               CFP_HLO_OPCODES(CFP_TEXT) CFP_FLAT_OPCODES(CFP_TEXT)
#undef CFP_TEXT
};
static_assert(kTexts.size() <= 256, "Opcode is one byte");

using Entry = std::pair<std::string_view, Opcode>;

// HLO's own opcodes only: a module that spells "carry" means nothing that we know.
const auto& SortedEntries() {
  static const auto entries = [] {
    std::array entries = {
#define CFP_ENTRY(name, text) Entry(text, Opcode::k##name),
        CFP_HLO_OPCODES(CFP_ENTRY)
#undef CFP_ENTRY
    };
    std::sort(entries.begin(), entries.end());
    return entries;
  }();
  return entries;
}

}  // namespace

Opcode OpcodeFromText(std::string_view text) {
  const auto& entries = SortedEntries();
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), Entry(text, Opcode::kUnknown));
  return found != entries.end() && found->first == text ? found->second : Opcode::kUnknown;
}

std::string_view OpcodeText(Opcode opcode) { return kTexts[static_cast<size_t>(opcode)]; }

}  // namespace cfp
