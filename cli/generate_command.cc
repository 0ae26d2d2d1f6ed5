// SPDX-License-Identifier: Apache-2.0
// signstep generate, which help does not list: completion for shells and the manual page, from the commands themselves.
// The build installs what it prints.
#include <fmt/format.h>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

int run_generate(const CLI::App& app, const std::string& what) {
  const Command program = command_tree(app);
  if (what == "bash")
    fmt::print("{}", bash_completion(program));
  else if (what == "zsh")
    fmt::print("{}", zsh_completion(program));
  else if (what == "man")
    fmt::print("{}", manual_page(program));
  else
    throw OptionError(fmt::format("there is no '{}' to generate; wanted bash, zsh or man", what));
  return 0;
}

}  // namespace

void add_generate(CLI::App& app, Run& run) {
  auto what = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand("generate", "Completion for a shell, or the manual page");
  sub->group("");  // named in the program's footer
  sub->footer("Example: signstep generate bash > ~/.local/share/bash-completion/completions/signstep");
  sub->add_option("WHAT", *what, "bash, zsh or man")->required();
  sub->callback([what, &app, &run] { run = [what, &app] { return run_generate(app, *what); }; });
}

}  // namespace signstep::cli
