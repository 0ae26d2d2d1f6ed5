// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <cstdlib>

#include "fuzz/target.h"
#include "signstep/data/gunzip.h"

namespace signstep::fuzz {
namespace {

constexpr size_t kLimit = 4096;

std::string packed(const std::string& text) {
  z_stream z{};
  if (deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace

void read(std::span<const uint8_t> bytes) {
  if (gunzip_begin(bytes, "fuzz", 16).size() > 16) std::abort();
  if (gunzip(bytes, "fuzz", kLimit).size() > kLimit) std::abort();
}

std::vector<std::string> seeds() { return {packed("abc"), packed(std::string(5000, 'x')), packed("")}; }

}  // namespace signstep::fuzz
