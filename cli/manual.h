// SPDX-License-Identifier: Apache-2.0
// The manual page, in the troff language that man(7) describes.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace signstep::cli {

// Every command with every option.
std::string manual_page(const Command& program);

}  // namespace signstep::cli
