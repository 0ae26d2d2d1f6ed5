// SPDX-License-Identifier: Apache-2.0
// Archives as a test wants them.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "tests/data/fixtures.h"

namespace signstep {

struct TarEntry {
  std::string name;
  Bytes content = {};
  char type = '0';  // '0' file, '1' hard link, '2' symbolic link, '5' folder
  std::string link = {};
};

// POSIX ustar.
inline Bytes tar_bytes(const std::vector<TarEntry>& entries) {
  Bytes out;
  for (const TarEntry& e : entries) {
    std::string header(512, '\0');
    const auto put = [&](size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    const auto octal = [](size_t value, int digits) {
      char text[16];
      std::snprintf(text, sizeof(text), "%0*zo", digits, value);
      return std::string(text);
    };
    put(0, e.name);
    put(100, octal(0644, 7));
    put(108, octal(0, 7));
    put(116, octal(0, 7));
    put(124, octal(e.content.size(), 11));
    put(136, octal(0, 11));
    put(148, "        ");
    header[156] = e.type;
    put(157, e.link);
    put(257, "ustar");
    put(263, "00");
    size_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + '\0');
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), e.content.begin(), e.content.end());
    out.resize((out.size() + 511) / 512 * 512);
  }
  out.resize(out.size() + 1024);
  return out;
}

}  // namespace signstep
