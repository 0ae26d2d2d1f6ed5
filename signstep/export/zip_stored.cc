// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/zip_stored.h"

#include <zlib.h>

#include <limits>

#include "signstep/base/error.h"

namespace signstep {
namespace {

constexpr uint64_t kAlignment = 64, kLocalHeader = 30, kExtraHeader = 4;
constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max(), kMostFiles = std::numeric_limits<uint16_t>::max();
constexpr uint16_t kPaddingId = 0x4246;  // "FB", as PyTorch names what it fills up with

void put16(std::string& out, uint64_t value) {
  for (int shift = 0; shift < 16; shift += 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}
void put32(std::string& out, uint64_t value) {
  put16(out, value & 0xffff);
  put16(out, value >> 16);
}

// What local and central headers have in common: version 2.0, no flags, stored, 1 January 1980.
void put_common(std::string& out, uint32_t crc, uint32_t size, size_t name, size_t extra) {
  put16(out, 20);
  put16(out, 0);
  put16(out, 0);
  put16(out, 0);
  put16(out, 0x21);
  put32(out, crc);
  put32(out, size);
  put32(out, size);
  put16(out, name);
  put16(out, extra);
}

uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

void ZipStored::put(std::string text) {
  size_ += text.size();
  parts_.push_back(std::as_bytes(std::span(headers_.emplace_back(std::move(text)))));
}

void ZipStored::add(const std::string& name, std::span<const std::byte> bytes) {
  const uint64_t unpadded = size_ + kLocalHeader + name.size() + kExtraHeader;
  const uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  // Each file has at most 200 bytes of headers at the end, and names are short.
  const bool too_long = unpadded + padding + bytes.size() + (files_.size() + 1) * 512 > kMost;
  if (too_long || files_.size() + 1 >= kMostFiles)
    throw OptionError(fmt::format("the network has {}, which this format cannot hold; export safetensors",
                                  too_long ? "4 GiB of weights or more" : "more than 65,000 tensors"));
  const File file{name, crc_of(bytes), static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(size_)};
  std::string header = "PK\3\4";
  put_common(header, file.crc, file.size, name.size(), kExtraHeader + padding);
  header += name;
  put16(header, kPaddingId);
  put16(header, padding);
  header.append(padding, 'Z');
  put(std::move(header));
  parts_.push_back(bytes);
  size_ += bytes.size();
  files_.push_back(file);
}

std::vector<std::span<const std::byte>> ZipStored::parts() {
  const uint64_t start = size_;
  for (const File& file : files_) {
    std::string entry = "PK\1\2";
    put16(entry, 20);  // made by
    put_common(entry, file.crc, file.size, file.name.size(), 0);
    entry.append(2 + 2 + 2 + 4, '\0');  // comment, disk, attributes
    put32(entry, file.offset);
    put(entry + file.name);
  }
  std::string end = "PK\5\6";
  const uint64_t directory = size_ - start;
  end.append(4, '\0');  // disks
  put16(end, files_.size());
  put16(end, files_.size());
  put32(end, directory);
  put32(end, start);
  put16(end, 0);  // comment
  put(end);
  return parts_;
}

}  // namespace signstep
