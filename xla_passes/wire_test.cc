// Reading and writing protobuf's wire format, in particular what must not be accepted.
#include "wire.h"

#include "testing.h"

namespace cfp {
namespace {

std::vector<WireField> Fields(std::string_view bytes) {
  std::vector<WireField> fields;
  WireReader reader(bytes);
  for (WireField field; reader.Next(&field);) fields.push_back(field);
  return fields;
}

TEST(EveryWireTypeIsRead) {
  const std::string bytes(
      "\x08\x96\x01\x12\x03"
      "dot"
      "\x1d"
      "1234"
      "\x21"
      "12345678");
  const std::vector<WireField> fields = Fields(bytes);
  EXPECT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[0].number, 1u);
  EXPECT_EQ(fields[0].value, 150u);
  EXPECT_EQ(fields[1].bytes, "dot");
  EXPECT_EQ(fields[1].wire,
            "\x12\x03"
            "dot");
  EXPECT_EQ(fields[2].bytes, "1234");
  EXPECT_EQ(fields[3].bytes, "12345678");
}

TEST(WhatIsWrittenIsReadBack) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 32, ~uint64_t{0}}) {
    std::string bytes;
    AppendVarintField(&bytes, 35, value);
    EXPECT_EQ(Fields(bytes)[0].value, value);
    EXPECT_EQ(Fields(bytes)[0].number, 35u);
  }
  std::string bytes;
  AppendBytesField(&bytes, 2, std::string(300, 'x'));
  EXPECT_EQ(Fields(bytes)[0].bytes, std::string(300, 'x'));
}

TEST(IntegersComePackedOrOneByOne) {
  std::string bytes;
  AppendBytesField(&bytes, 14, std::string("\x01\x80\x01\x05", 4));
  AppendVarintField(&bytes, 14, 7);
  std::vector<int64_t> integers;
  WireReader reader(bytes);
  for (WireField field; reader.Next(&field);) reader.AppendIntegers(field, &integers);
  EXPECT_EQ(integers, (std::vector<int64_t>{1, 128, 5, 7}));
}

TEST(ErrorsSayWhereAndWhat) {
  EXPECT_THROWS(Fields("\x08"), "HLO proto: the message ends inside a varint at byte 1");
  EXPECT_THROWS(Fields("\x08\x80"), "the message ends inside a varint at byte 1");
  EXPECT_THROWS(Fields("\x08"
                       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                "longer than 10 bytes at byte 1");
  EXPECT_THROWS(Fields("\x12\x05"
                       "dot"),
                "a field of 5 bytes where 3 are left at byte 2");
  EXPECT_THROWS(Fields("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "where 0 are left");
  EXPECT_THROWS(Fields("\x0b"), "wire type 3, expected 0, 1, 2 or 5 at byte 0");
  EXPECT_THROWS(Fields("\x0f"), "wire type 7, expected 0, 1, 2 or 5 at byte 0");
  EXPECT_THROWS(Fields(std::string_view("\x00\x00", 2)), "a field number out of range at byte 0");
}

TEST(AFieldOfTheWrongTypeIsAnError) {
  WireReader reader("\x12\x01x");
  WireField field;
  reader.Next(&field);
  EXPECT_THROWS(reader.Integer(field),
                "field 2 is bytes with a length, expected a varint at byte 0");
}

TEST(NestedMessagesCountBytesFromTheBeginningOfTheFile) {
  WireReader file("\x08\x01\x12\x01\x0b");
  WireField field;
  file.Next(&field);
  file.Next(&field);
  WireReader nested = file.Message(field);
  EXPECT_THROWS(nested.Next(&field), "wire type 3, expected 0, 1, 2 or 5 at byte 4");
}

}  // namespace
}  // namespace cfp
