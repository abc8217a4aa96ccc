// Bounds-checked reading of protobuf's wire format; see wire.h.
#include "wire.h"

#include "hlo_error.h"

namespace cfp {
namespace {

constexpr int kMaxVarintBytes = 10;

std::string_view TypeText(WireType type) {
  switch (type) {
    case WireType::kVarint:
      return "a varint";
    case WireType::kFixed64:
      return "8 bytes";
    case WireType::kBytes:
      return "bytes with a length";
    case WireType::kFixed32:
      return "4 bytes";
  }
  return "an unknown type";
}

}  // namespace

void WireReader::Fail(const std::string& what, const char* at) const {
  throw HloError("HLO proto: " + what + " at byte " + std::to_string(at - origin_));
}

void WireReader::FailWireType(uint64_t type, const char* at) const {
  Fail("wire type " + std::to_string(type) + ", expected 0, 1, 2 or 5", at);
}

void WireReader::FailTake(uint64_t size) const {
  Fail("a field of " + std::to_string(size) + " bytes where " + std::to_string(end_ - at_) +
           " are left",
       at_);
}

void WireReader::FailType(const WireField& field, WireType expected) const {
  Fail("field " + std::to_string(field.number) + " is " + std::string(TypeText(field.type)) +
           ", expected " + std::string(TypeText(expected)),
       field.wire.data());
}

uint64_t WireReader::ReadLongVarint() {
  const char* const start = at_;
  uint64_t value = 0;
  for (int i = 0; i < kMaxVarintBytes; ++i) {
    if (at_ == end_) Fail("the message ends inside a varint", start);
    const auto byte = static_cast<uint8_t>(*at_++);
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) return value;
  }
  Fail("a varint is longer than 10 bytes", start);
}

void WireReader::AppendIntegers(const WireField& field, std::vector<int64_t>* integers) const {
  if (field.type == WireType::kVarint) {
    integers->push_back(static_cast<int64_t>(field.value));
    return;
  }
  WireReader packed = Message(field);
  while (packed.at_ != packed.end_) integers->push_back(static_cast<int64_t>(packed.ReadVarint()));
}

void AppendVarint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendVarintField(std::string* out, uint32_t number, uint64_t value) {
  AppendVarint(out, uint64_t{number} << 3 | static_cast<uint64_t>(WireType::kVarint));
  AppendVarint(out, value);
}

void AppendBytesField(std::string* out, uint32_t number, std::string_view bytes) {
  AppendVarint(out, uint64_t{number} << 3 | static_cast<uint64_t>(WireType::kBytes));
  AppendVarint(out, bytes.size());
  out->append(bytes);
}

}  // namespace cfp
