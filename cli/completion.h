// SPDX-License-Identifier: Apache-2.0
// What a shell offers after the tab key: commands, options, and the values that an option takes; files everywhere else.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace signstep::cli {

std::string bash_completion(const Command& program);  // to be sourced, or installed in bash-completion/completions
std::string zsh_completion(const Command& program);   // a function for a folder of fpath, named _signstep

}  // namespace signstep::cli
