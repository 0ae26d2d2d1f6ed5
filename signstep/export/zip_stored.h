// SPDX-License-Identifier: Apache-2.0
// Zip archives whose files are stored as they are. Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace signstep {

class ZipStored {
 public:
  // Bytes are not copied: they must live until the parts have been written. Each file's content starts at a multiple of
  // 64 bytes, so that readers may map it. Throws OptionError beyond 4 GiB in all, which the plain format cannot hold.
  void add(const std::string& name, std::span<const std::byte> bytes);
  // The archive as parts in a row; nothing is added after this.
  std::vector<std::span<const std::byte>> parts();

 private:
  struct File {
    std::string name;
    uint32_t crc, size, offset;  // offset: of its header
  };
  void put(std::string text);

  std::vector<File> files_;
  std::vector<std::span<const std::byte>> parts_;
  std::deque<std::string> headers_;
  uint64_t size_ = 0;
};

}  // namespace signstep
