// Protobuf's wire format, read in place and spliced: no copies, no allocation, no schema.
//
// A message is a sequence of fields, each a tag (number << 3 | type) and a payload. Instance: `12
// 03 64 6f 74` is field 2, type 2 (bytes), 3 bytes long, "dot".
//
//   WireReader reader(bytes);
//   for (WireField field; reader.Next(&field);)
//     if (field.number == 2) opcode = reader.Bytes(field);
//
// Anything that does not parse is an HloError that says at which byte and what should have been
// there. The bytes may come from anywhere: every length is checked against what is left before it
// is used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfp {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // of a varint
  std::string_view bytes;  // of everything else
  std::string_view wire;   // the whole field, tag included
};

class WireReader {
 public:
  // A whole file; errors count bytes from its beginning.
  explicit WireReader(std::string_view file) : WireReader(file, file.data()) {}
  // A message in a file that begins at `origin`.
  WireReader(std::string_view message, const char* origin)
      : at_(message.data()), end_(message.data() + message.size()), origin_(origin) {}

  // Moves to the next field; false at the end of the message.
  bool Next(WireField* field);

  // The payload as what the schema says it is; an error where the wire type says otherwise.
  int64_t Integer(const WireField& field) const {
    RequireType(field, WireType::kVarint);
    return static_cast<int64_t>(field.value);
  }
  std::string_view Bytes(const WireField& field) const {
    RequireType(field, WireType::kBytes);
    return field.bytes;
  }
  WireReader Message(const WireField& field) const { return WireReader(Bytes(field), origin_); }

  // Appends a repeated integer, be it packed (bytes full of varints) or one of several single ones.
  void AppendIntegers(const WireField& field, std::vector<int64_t>* integers) const;

  // Throws HloError "<what> at byte <offset>".
  [[noreturn]] void Fail(const std::string& what, const char* at) const;

 private:
  uint64_t Byte(int offset) const { return static_cast<uint8_t>(at_[offset]); }
  // Most tags, lengths and values take one or two bytes: these are inlined, as is Next; longer ones
  // and errors stand apart, in wire.cc.
  uint64_t ReadVarint() {
    if (at_ != end_ && Byte(0) < 0x80) {
      at_ += 1;
      return Byte(-1);
    }
    if (end_ - at_ >= 2 && Byte(1) < 0x80) {
      at_ += 2;
      return (Byte(-2) & 0x7F) | Byte(-1) << 7;
    }
    return ReadLongVarint();
  }
  std::string_view Take(uint64_t size) {
    if (size > static_cast<uint64_t>(end_ - at_)) FailTake(size);
    at_ += size;
    return {at_ - size, size};
  }
  void RequireType(const WireField& field, WireType type) const {
    if (field.type != type) FailType(field, type);
  }
  uint64_t ReadLongVarint();
  [[noreturn]] void FailWireType(uint64_t type, const char* at) const;
  [[noreturn]] void FailTake(uint64_t size) const;
  [[noreturn]] void FailType(const WireField& field, WireType expected) const;

  const char* at_;
  const char* end_;
  const char* origin_;
};

inline bool WireReader::Next(WireField* field) {
  constexpr uint64_t kMaxNumber = (uint64_t{1} << 29) - 1;
  if (at_ == end_) return false;
  const char* const start = at_;
  const uint64_t tag = ReadVarint();
  const uint64_t number = tag >> 3;
  field->type = static_cast<WireType>(tag & 7);
  switch (field->type) {
    case WireType::kVarint:
      field->value = ReadVarint();
      break;
    case WireType::kFixed64:
      field->bytes = Take(8);
      break;
    case WireType::kBytes:
      field->bytes = Take(ReadVarint());
      break;
    case WireType::kFixed32:
      field->bytes = Take(4);
      break;
    default:
      FailWireType(tag & 7, start);
  }
  if (number == 0 || number > kMaxNumber) Fail("a field number out of range", start);
  field->number = static_cast<uint32_t>(number);
  field->wire = std::string_view(start, at_ - start);
  return true;
}

// Writing: what a splice needs. `AppendBytesField(&out, 2, "dot")` appends `12 03 64 6f 74`.
void AppendVarint(std::string* out, uint64_t value);
void AppendVarintField(std::string* out, uint32_t number, uint64_t value);
void AppendBytesField(std::string* out, uint32_t number, std::string_view bytes);

}  // namespace cfp
