// SPDX-License-Identifier: Apache-2.0
// Command-line flags from a list of described options.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <utility>
#include <vector>

#include "signstep/base/option.h"

namespace signstep::cli {

// Adds one flag per option. Values are remembered at parsing and set by apply(), so that a configuration file can be
// read in between and flags win.
class Flags {
 public:
  Flags(CLI::App& app, OptionList list);

  void apply();  // throws OptionError
  OptionList& list() { return list_; }
  const std::vector<std::pair<std::string, std::string>>& given() const { return given_; }

 private:
  OptionList list_;
  std::vector<std::pair<std::string, std::string>> given_;
};

}  // namespace signstep::cli
