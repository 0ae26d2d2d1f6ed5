// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

constexpr size_t kColumns = 79, kHelpFrom = 34;

// Words in lines of at most `width` letters; a longer word has a line of its own.
std::vector<std::string> wrapped(const std::string& text, size_t width) {
  std::vector<std::string> lines(1);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
    at = end + 1;
  }
  return lines;
}

// What a thing is called, and from a column on what it is; below its name where that is too long.
std::string in_columns(const std::string& name, const std::string& text) {
  std::string out = name;
  size_t column = name.size();
  for (const std::string& line : wrapped(text, kColumns - kHelpFrom)) {
    if (column + 1 > kHelpFrom) {
      out += '\n';
      column = 0;
    }
    out += std::string(kHelpFrom - column, ' ') + line;
    column = kHelpFrom + line.size();
  }
  return out + "\n";
}

}  // namespace

HelpFormatter::HelpFormatter(std::set<std::string> rare) : rare_(std::move(rare)) { column_width(kHelpFrom); }

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  all_ = mode == CLI::AppFormatMode::All;
  return CLI::Formatter::make_help(app, std::move(name), mode);
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  if (!all_) std::erase_if(options, [&](const CLI::Option* o) { return rare_.contains(o->get_name()); });
  return options.empty() ? "" : CLI::Formatter::make_group(group, is_positional, options);
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return in_columns("  " + make_option_name(option, is_positional) + make_option_opts(option),
                    make_option_desc(option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return in_columns("  " + command->get_display_name(true), command->get_description());
}

// Lines that fit stay as they were written, the rest of others hangs under their own beginning.
std::string HelpFormatter::make_footer(const CLI::App* app) const {
  std::string out = "\n";
  std::stringstream lines(app->get_footer());
  for (std::string line; std::getline(lines, line);) {
    if (line.size() <= kColumns) {
      out += line + "\n";
      continue;
    }
    size_t indent = line.find_first_not_of(' ');
    const size_t hanging = indent == 0 ? 0 : indent + 2;
    for (const std::string& part : wrapped(line.substr(indent), kColumns - hanging)) {
      out += std::string(indent, ' ') + part + "\n";
      indent = hanging;
    }
  }
  return app->get_footer().empty() ? "" : out;
}

void shorten_help(CLI::App& command, const OptionList& options) {
  std::set<std::string> rare;
  for (const Option& option : options.options())
    if (!option.is(Role::kCommon)) rare.insert(option.flag());
  command.set_help_all_flag("--help-all", fmt::format("the other {} options too", rare.size()));
  command.formatter(std::make_shared<HelpFormatter>(std::move(rare)));
}

}  // namespace signstep::cli
