// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/checksum.h"

#include <gtest/gtest.h>

#include <string_view>

namespace signstep {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Checksum, PublishedAnswers) {
  EXPECT_EQ(md5_hex(bytes_of("abc")), "900150983cd24fb0d6963f7d28e17f72");           // RFC 1321, appendix A.5
  EXPECT_EQ(sha1_hex(bytes_of("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");  // FIPS 180-2, appendix A.1
  const std::string sha =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256_hex(bytes_of("abc")), sha);
  EXPECT_EQ(sha256_hex({bytes_of("a"), bytes_of(""), bytes_of("bc")}), sha);
}

}  // namespace
}  // namespace signstep
