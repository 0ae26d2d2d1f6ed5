// SPDX-License-Identifier: Apache-2.0
#include "cli/command_tree.h"

#include <map>

namespace signstep::cli {
namespace {

std::map<const CLI::Option*, std::vector<std::string>>& offered() {
  static std::map<const CLI::Option*, std::vector<std::string>> all;
  return all;
}

CommandOption option_of(const CLI::Option& option) {
  CommandOption out{.name = option.get_positional() ? option.get_name() : "--" + option.get_lnames().front(),
                    .type = option.get_items_expected_max() == 0 ? "" : option.get_type_name(),
                    .help = option.get_description(),
                    .standard = option.get_default_str(),
                    .group = option.get_group(),
                    .values = {},
                    .positional = option.get_positional(),
                    .several = option.get_items_expected_max() > 1};
  if (const auto values = offered().find(&option); values != offered().end()) out.values = values->second;
  return out;
}

Command command_of(const CLI::App& app, const std::string& above) {
  Command out{.name = above + app.get_name(),
              .about = app.get_description(),
              .footer = app.get_footer(),
              .options = {},
              .commands = {}};
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) out.options.push_back(option_of(*option));
  for (const CLI::App* sub : app.get_subcommands({}))
    if (!sub->get_group().empty()) out.commands.push_back(command_of(*sub, out.name + " "));
  return out;
}

}  // namespace

Command command_tree(const CLI::App& app) { return command_of(app, ""); }

void offer(const CLI::Option* option, std::vector<std::string> values) { offered()[option] = std::move(values); }

}  // namespace signstep::cli
