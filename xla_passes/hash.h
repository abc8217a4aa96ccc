// A 64-bit hash that is the same in every process and on every little-endian machine: fingerprints
// are compared across runs.
//
//   uint64_t hash = HashBytes(kHashSeed, "dot");
//   hash = MixHash(hash, 8);
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace cfp {

constexpr uint64_t kHashSeed = 0x9AE16A3B2F90404F;

// For a given `hash` no two values give the same result, and the other way round.
inline uint64_t MixHash(uint64_t hash, uint64_t value) {
  uint64_t mixed = hash * 0x9E3779B97F4A7C15 + value;
  mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93;
  return mixed ^ (mixed >> 32);
}

inline uint64_t HashBytes(uint64_t hash, std::string_view bytes) {
  hash = MixHash(hash, bytes.size());
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = MixHash(hash, word);
  }
  uint64_t rest = 0;
  for (int shift = 0; at != end; ++at, shift += 8)
    rest |= uint64_t{static_cast<uint8_t>(*at)} << shift;
  return MixHash(hash, rest);
}

}  // namespace cfp
