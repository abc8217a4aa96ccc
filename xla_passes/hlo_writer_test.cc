// Splicing shardings in: what changes and, byte by byte, what does not.
#include "hlo_writer.h"

#include "hlo_reader.h"
#include "hlo_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// Two computations, unknown fields everywhere, a long literal, and a sharding that is there
// already.
std::string Annotated(const std::string& sharding_of_second) {
  HloText helper(1);
  helper.Parameter(0, F32({}));
  HloText main(2);
  main.Add("constant", F32({100}), {},
           BytesField(InstructionField::kLiteral, BytesField(8, std::string(400, 'x'))));
  main.Add("negate", F32({100}), {main.root_id},
           sharding_of_second + BytesField(InstructionField::kFrontendAttributes, "") +
               IntegerField(5000, 7));
  return Serialize({helper, main}, 2) + BytesField(700, "a field from the future");
}

std::string Sharding(const std::string& bytes) {
  return BytesField(InstructionField::kSharding, bytes);
}

TEST(WithoutEditsTheBytesStay) {
  const std::string bytes = Annotated(Sharding("\x08\x03"));
  EXPECT_TRUE(WriteShardings(ReadHloModule(bytes), {}) == bytes);
}

TEST(AShardingIsReplacedAndNothingElse) {
  const HloModule module = ReadHloModule(Annotated(Sharding("\x08\x03")));
  EXPECT_TRUE(WriteShardings(module, {{2, std::string(300, 'y')}}) ==
              Annotated(Sharding(std::string(300, 'y'))));
  EXPECT_TRUE(WriteShardings(module, {{2, ""}}) == Annotated(Sharding("")));
}

TEST(AShardingIsAddedToAnyInstruction) {
  const std::string bytes = Annotated("");
  const std::string once = WriteShardings(ReadHloModule(bytes), {{2, "\x08\x01"}, {0, "\x08\x02"}});
  const HloModule module = ReadHloModule(once);
  EXPECT_TRUE(module.instructions[0].wire.find(Sharding("\x08\x02")) != std::string_view::npos);
  EXPECT_TRUE(module.instructions[1].wire.find(Sharding("\x08\x01")) == std::string_view::npos);
  EXPECT_TRUE(module.instructions[2].wire.find(Sharding("\x08\x01")) != std::string_view::npos);
  EXPECT_EQ(once.size(), bytes.size() + 2 * Sharding("\x08\x01").size());
}

TEST(AModuleInsideAnHloProtoStaysThere) {
  const auto wrap = [](const std::string& module) {
    return BytesField(1, module) + BytesField(3, "buffers");
  };
  const HloModule module = ReadHloModule(wrap(Annotated("")));
  EXPECT_TRUE(WriteShardings(module, {}) == wrap(Annotated("")));
  const std::string edited = WriteShardings(module, {{2, "\x08\x01"}});
  const std::string alone = WriteShardings(ReadHloModule(Annotated("")), {{2, "\x08\x01"}});
  EXPECT_TRUE(edited == wrap(alone));
}

TEST(ImpossibleEditsAreErrors) {
  const HloModule module = ReadHloModule(Annotated(""));
  EXPECT_THROWS(WriteShardings(module, {{3, ""}}), "shardings: instruction 3 of 3");
  EXPECT_THROWS(WriteShardings(module, {{1, "a"}, {1, "b"}}), "shardings: two for instruction 1");
}

}  // namespace
}  // namespace cfp
