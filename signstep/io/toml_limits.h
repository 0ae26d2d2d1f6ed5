// SPDX-License-Identifier: Apache-2.0
// TOML is parsed, and freed, by functions that call themselves for each table within a table: bounded beforehand.
#pragma once

#include <cstddef>
#include <string>

namespace signstep {

inline constexpr size_t kTomlBytes = size_t{1} << 20;  // of a file; parsing takes up to about 100 times that in memory
inline constexpr size_t kTomlDepth = 16;               // brackets and braces within each other
inline constexpr size_t kTomlKeyParts = 16;            // of a key like a.b.c

// Call before toml::parse. Throws OptionError with name and, where there is one, line and column of what is beyond a
// limit.
void require_toml_limits(const std::string& text, const std::string& name);

}  // namespace signstep
