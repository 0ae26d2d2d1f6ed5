// SPDX-License-Identifier: Apache-2.0
// Checksums through OpenSSL's libcrypto. Hexadecimal, lower case.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace signstep {

std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_base64(std::span<const std::byte> bytes);                   // as a content security policy wants it
std::string sha256_hex(const std::vector<std::span<const std::byte>>& parts);  // of the parts in a row
// Only to compare with checksums that others published.
std::string md5_hex(std::span<const std::byte> bytes);
std::string sha1_hex(std::span<const std::byte> bytes);

}  // namespace signstep
