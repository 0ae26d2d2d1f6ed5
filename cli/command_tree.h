// SPDX-License-Identifier: Apache-2.0
// The program's commands and options as data, read from CLI11's app: what completion, the manual and others are made
// of.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <vector>

namespace signstep::cli {

struct CommandOption {
  std::string name;  // "--learning-rate", or "RUN" of what stands without a flag
  std::string type;  // "X", "FILE"; "" of a switch that takes no value
  std::string help, standard, group;
  std::vector<std::string> values;  // that it takes; none where these cannot be listed
  bool positional = false, several = false;
};

struct Command {
  std::string name;  // from the program's on: "signstep data fetch"
  std::string about, footer;
  std::vector<CommandOption> options;  // those that --help-all lists, in its order
  std::vector<Command> commands;       // below it
};

// Hidden commands and options are left out.
Command command_tree(const CLI::App& app);

// Notes which values an option takes, for command_tree; CLI11 has no place for them that does not change its errors.
void offer(const CLI::Option* option, std::vector<std::string> values);

}  // namespace signstep::cli
