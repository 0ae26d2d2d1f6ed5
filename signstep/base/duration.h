// SPDX-License-Identifier: Apache-2.0
// Lengths of time as people write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace signstep {

// "3h50m" to seconds; nullopt for anything else. And back, for people.
std::optional<double> parse_duration(std::string_view text);
std::string format_duration(double seconds);

}  // namespace signstep
