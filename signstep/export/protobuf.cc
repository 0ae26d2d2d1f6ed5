// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/protobuf.h"

#include <bit>

namespace signstep::protobuf {
namespace {

enum Wire : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// 7 bits a byte, low ones first.
void varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

void key(std::string& out, uint64_t number, Wire wire) { varint(out, number << 3 | wire); }

}  // namespace

void fixed(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i & 0xff));
}

void integer(std::string& out, uint64_t number, uint64_t value) {
  key(out, number, kVarint);
  varint(out, value);
}

void real64(std::string& out, uint64_t number, double value) {
  key(out, number, kFixed64);
  fixed(out, std::bit_cast<uint64_t>(value), 8);
}

void real32(std::string& out, uint64_t number, float value) {
  key(out, number, kFixed32);
  fixed(out, std::bit_cast<uint32_t>(value), 4);
}

void bytes(std::string& out, uint64_t number, std::string_view value) {
  key(out, number, kBytes);
  varint(out, value.size());
  out += value;
}

}  // namespace signstep::protobuf
