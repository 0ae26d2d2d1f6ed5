// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/checksum.h"

#include <openssl/evp.h>

#include <memory>

#include "signstep/base/error.h"

namespace signstep {
namespace {

using Digest = std::vector<unsigned char>;

Digest digest(const EVP_MD* algorithm, const std::vector<std::span<const std::byte>>& parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Digest bytes(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  bool good = context && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1;
  for (const auto& part : parts) good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  if (!good || EVP_DigestFinal_ex(context.get(), bytes.data(), &length) != 1) {
    throw EnvironmentError("OpenSSL refused to compute a checksum; check its configuration (FIPS mode forbids MD5)");
  }
  bytes.resize(length);
  return bytes;
}

std::string hex(const Digest& bytes) { return fmt::format("{:02x}", fmt::join(bytes, "")); }

}  // namespace

std::string sha256_hex(std::span<const std::byte> bytes) { return hex(digest(EVP_sha256(), {bytes})); }
std::string sha256_hex(const std::vector<std::span<const std::byte>>& parts) {
  return hex(digest(EVP_sha256(), parts));
}
std::string md5_hex(std::span<const std::byte> bytes) { return hex(digest(EVP_md5(), {bytes})); }
std::string sha1_hex(std::span<const std::byte> bytes) { return hex(digest(EVP_sha1(), {bytes})); }

std::string sha256_base64(std::span<const std::byte> bytes) {
  const Digest sum = digest(EVP_sha256(), {bytes});
  std::string text((sum.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it by a 0
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), sum.data(), static_cast<int>(sum.size()));
  text.pop_back();
  return text;
}

}  // namespace signstep
