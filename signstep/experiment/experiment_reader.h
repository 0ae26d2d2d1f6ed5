// SPDX-License-Identifier: Apache-2.0
// Reads the parts of an experiment file and knows where in it everything stands.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "signstep/experiment/experiment.h"

namespace signstep {

// Each reading function throws OptionError with file, line and column for what is not of its kind.
class ExperimentReader {
 public:
  explicit ExperimentReader(std::string path) : path_(std::move(path)) {}

  [[noreturn]] void fail(const toml::source_region& at, const std::string& what) const;
  [[noreturn]] void fail(const std::string& what) const;

  // Refuses keys that are not known, and names the nearest that is.
  void only(const toml::table& table, const std::vector<std::string>& known) const;
  std::string scalar(const toml::node& node, std::string_view key) const;
  // One line of at most that many characters (io/label.h).
  std::string text(const toml::table& table, std::string_view key, const std::string& otherwise, size_t most) const;
  bool flag(const toml::table& table, std::string_view key) const;  // false unless stated
  std::vector<std::string> list(const toml::table& table, std::string_view key) const;
  std::vector<uint64_t> seeds(const toml::table& table, std::string_view key) const;
  const toml::table* table(const toml::table& parent, std::string_view key) const;  // nullptr where there is none
  // Option = value lines, without the keys that are not options.
  Settings settings(const toml::table& table, const std::set<std::string>& without = {}) const;
  // Option = [value, ...] lines; none for nullptr.
  std::vector<GridAxis> axes(const toml::table* table) const;

 private:
  // Refuses what is no option of `train`, and what the protocol sets for each run.
  void require_option(const std::string& option, const toml::source_region& at) const;
  // A value of the option in the form that it writes itself, 0.1 for "1e-1"; refuses what it cannot be.
  std::string canonical(const std::string& option, const std::string& value, const toml::source_region& at) const;

  std::string path_;
};

}  // namespace signstep
