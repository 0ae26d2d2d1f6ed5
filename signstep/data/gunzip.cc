// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/gunzip.h"

#include <zlib.h>

#include <algorithm>

#include "signstep/core/error.h"

namespace signstep {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's way to say: a gzip header, no zlib or raw one
constexpr size_t kFirstBuffer = size_t{1} << 16;

struct Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw EnvironmentError("zlib cannot start; is memory exhausted?");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

bool is_gzip(std::span<const uint8_t> bytes) { return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B; }

std::vector<uint8_t> gunzip(std::span<const uint8_t> packed, const std::string& path, size_t limit) {
  if (packed.size() > UINT32_MAX || limit >= UINT32_MAX) {  // zlib counts in 32 bits
    throw DataError(fmt::format("{} has {} packed bytes; wanted less than 4 GiB, packed and unpacked; unpack it first",
                                path, packed.size()));
  }
  Inflater inflater;
  z_stream& z = inflater.stream;
  z.next_in = const_cast<Bytef*>(packed.data());  // zlib reads only, but says so only with ZLIB_CONST
  z.avail_in = static_cast<uInt>(packed.size());

  std::vector<uint8_t> out;
  size_t done = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (done == out.size()) {
      // One byte beyond the limit, so that hitting it exactly is told from exceeding it.
      out.resize(std::min(std::max(kFirstBuffer, out.size() * 2), limit + 1));
    }
    z.next_out = out.data() + done;
    z.avail_out = static_cast<uInt>(out.size() - done);
    status = inflate(&z, Z_NO_FLUSH);
    done = out.size() - z.avail_out;
    if (done > limit) {
      throw DataError(
          fmt::format("{} unpacks to more than {} bytes; that is no data set file; get it again", path, limit));
    }
    if (status == Z_BUF_ERROR || (status == Z_OK && z.avail_in == 0 && z.avail_out != 0)) {
      throw DataError(
          fmt::format("{}: the gzip data ends after {} packed bytes in the middle of the stream; "
                      "get the file again",
                      path, packed.size()));
    }
    if (status != Z_OK && status != Z_STREAM_END) {
      throw DataError(fmt::format("{}: corrupt gzip data near packed byte {} ({}); get the file again", path,
                                  packed.size() - z.avail_in, z.msg ? z.msg : zError(status)));
    }
  }
  if (z.avail_in != 0) {
    throw DataError(
        fmt::format("{}: {} bytes follow the end of the gzip data; wanted none; get the file again", path, z.avail_in));
  }
  out.resize(done);
  return out;
}

}  // namespace signstep
