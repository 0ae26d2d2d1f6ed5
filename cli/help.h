// SPDX-License-Identifier: Apache-2.0
// How --help looks: lines that fit a terminal of 80 columns, and for a command with many options those that most people
// use; --help-all has every one.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <set>
#include <string>
#include <vector>

#include "signstep/base/option.h"

namespace signstep::cli {

class HelpFormatter final : public CLI::Formatter {
 public:
  // rare: flags ("--beta1") that --help leaves out.
  explicit HelpFormatter(std::set<std::string> rare = {});

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_footer(const CLI::App* app) const override;

 private:
  std::set<std::string> rare_;
  mutable bool all_ = false;  // as asked for last
};

// Gives the command a --help of the options with Role::kCommon and a --help-all.
void shorten_help(CLI::App& command, const OptionList& options);

}  // namespace signstep::cli
