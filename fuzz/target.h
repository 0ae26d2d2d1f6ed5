// SPDX-License-Identifier: Apache-2.0
// What a fuzz target defines; target.cc makes a libFuzzer program of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signstep::fuzz {

// Reads the bytes as the program would. A signstep::Error is the right answer to bad ones; all else is a finding.
void read(std::span<const uint8_t> bytes);

// Files that are well-formed, to begin from.
std::vector<std::string> seeds();

inline std::string text_of(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }
inline std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A folder of this process in memory, for readers that want a path; it goes when the process ends.
const std::string& folder();
void write(const std::string& name, std::span<const uint8_t> bytes);

}  // namespace signstep::fuzz
