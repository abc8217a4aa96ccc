// The tables that everything else looks things up in: opcodes, element types, and the hash that
// must never change.
#include "opcode.h"

#include "hash.h"
#include "hlo_module.h"
#include "testing.h"

namespace cfp {
namespace {

TEST(EveryOpcodeIsFoundByItsText) {
#define CFP_EXPECT_FOUND(name, text)                \
  EXPECT_EQ(OpcodeFromText(text), Opcode::k##name); \
  EXPECT_EQ(OpcodeText(Opcode::k##name), text);
  CFP_HLO_OPCODES(CFP_EXPECT_FOUND)
#undef CFP_EXPECT_FOUND
}

TEST(OtherTextsAreUnknown) {
  EXPECT_EQ(OpcodeFromText(""), Opcode::kUnknown);
  EXPECT_EQ(OpcodeFromText("dots"), Opcode::kUnknown);
  EXPECT_EQ(OpcodeFromText("carry"), Opcode::kUnknown);  // ours, not HLO's
  EXPECT_EQ(OpcodeText(Opcode::kCarry), "carry");
}

TEST(ElementTypesHaveNamesAndWidths) {
  EXPECT_EQ(DTypeText(DType::kBF16), "bf16");
  EXPECT_EQ(DTypeText(DType::kC128), "c128");
  EXPECT_EQ(DTypeText(static_cast<DType>(200)), "invalid");
  EXPECT_EQ(BitWidth(DType::kBF16), 16);
  EXPECT_EQ(BitWidth(DType::kTuple), 0);
  EXPECT_EQ(BitWidth(static_cast<DType>(21)), 4);  // s4
  EXPECT_TRUE(IsFloat(DType::kF32));
  EXPECT_TRUE(IsFloat(static_cast<DType>(33)));  // f8e8m0fnu
  EXPECT_TRUE(!IsFloat(DType::kS32));
}

TEST(HashesAreTheSameInEveryProcess) {
  EXPECT_EQ(HashBytes(kHashSeed, "dot-general"), uint64_t{3298211010734664220});
  EXPECT_TRUE(HashBytes(kHashSeed, std::string_view("\0", 1)) != HashBytes(kHashSeed, ""));
  EXPECT_TRUE(MixHash(MixHash(kHashSeed, 1), 2) != MixHash(MixHash(kHashSeed, 2), 1));
}

}  // namespace
}  // namespace cfp
