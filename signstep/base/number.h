// SPDX-License-Identifier: Apache-2.0
// Numbers and lists of them as people and files write them; the whole text, or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace signstep {

// "60_000", as TOML has it, "+3", "-7". Nothing for what 64 bits do not hold.
std::optional<int64_t> parse_integer(std::string_view text);
// "0.1", "1e-3"; "inf" and "nan" too, which the caller refuses where they mean nothing.
std::optional<double> parse_number(std::string_view text);

// The numbers between commas, with blanks around them; "" is the empty list. T: int64_t or double.
template <class T>
std::optional<std::vector<T>> parse_list(std::string_view text);

}  // namespace signstep
