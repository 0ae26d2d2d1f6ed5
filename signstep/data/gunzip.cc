// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/gunzip.h"

#include <zlib.h>

#include <algorithm>

#include "signstep/base/error.h"

namespace signstep {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's way to say: a gzip header, no zlib or raw one
constexpr size_t kFirstBuffer = size_t{1} << 16;

struct Inflater {
  z_stream stream{};
  explicit Inflater(std::span<const uint8_t> packed) {
    stream.next_in = const_cast<Bytef*>(packed.data());  // zlib reads only, but says so only with ZLIB_CONST
    stream.avail_in = static_cast<uInt>(packed.size());
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw EnvironmentError("zlib cannot start; is memory exhausted?");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

void require_32_bits(size_t packed, size_t unpacked, const std::string& path) {  // as zlib counts
  if (packed <= UINT32_MAX && unpacked < UINT32_MAX) return;
  throw DataError(fmt::format("{} has {} packed bytes; wanted less than 4 GiB, packed and unpacked; unpack it first",
                              path, packed));
}

[[noreturn]] void fail_corrupt(const z_stream& z, int status, size_t packed, const std::string& path) {
  throw DataError(fmt::format("{}: corrupt gzip data near packed byte {} ({}); get the file again", path,
                              packed - z.avail_in, z.msg ? z.msg : zError(status)));
}

}  // namespace

bool is_gzip(std::span<const uint8_t> bytes) { return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B; }

std::vector<uint8_t> gunzip(std::span<const uint8_t> packed, const std::string& path, size_t limit) {
  require_32_bits(packed.size(), limit, path);
  Inflater inflater(packed);
  z_stream& z = inflater.stream;
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
    if (status != Z_OK && status != Z_STREAM_END) fail_corrupt(z, status, packed.size(), path);
    // A file may have several members, whose contents belong one after the other (RFC 1952, section 2.2).
    if (status == Z_STREAM_END && is_gzip({z.next_in, z.avail_in})) status = inflateReset(&z);
  }
  if (z.avail_in != 0) {
    throw DataError(
        fmt::format("{}: {} bytes follow the end of the gzip data; wanted none; get the file again", path, z.avail_in));
  }
  out.resize(done);
  return out;
}

std::vector<uint8_t> gunzip_begin(std::span<const uint8_t> packed, const std::string& path, size_t count) {
  require_32_bits(packed.size(), count, path);
  Inflater inflater(packed);
  std::vector<uint8_t> out(count);
  inflater.stream.next_out = out.data();
  inflater.stream.avail_out = static_cast<uInt>(count);
  const int status = inflate(&inflater.stream, Z_SYNC_FLUSH);
  // Z_BUF_ERROR: the packed bytes end early. The caller sees it by the length.
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
    fail_corrupt(inflater.stream, status, packed.size(), path);
  out.resize(count - inflater.stream.avail_out);
  return out;
}

}  // namespace signstep
