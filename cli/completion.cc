// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>

namespace signstep::cli {
namespace {

std::vector<const Command*> all_commands(const Command& top) {
  std::vector<const Command*> out = {&top};
  for (const Command& sub : top.commands)
    for (const Command* one : all_commands(sub)) out.push_back(one);
  return out;
}

// What may stand after the command: its commands, the values of what has no flag, its flags.
std::vector<std::string> words_after(const Command& command) {
  std::vector<std::string> words;
  for (const Command& sub : command.commands) words.push_back(sub.name.substr(command.name.size() + 1));
  for (const CommandOption& option : command.options)
    if (option.positional) words.insert(words.end(), option.values.begin(), option.values.end());
  for (const CommandOption& option : command.options)
    if (!option.positional) words.push_back(option.name);
  return words;
}

std::string last_word(const std::string& name) { return name.substr(name.rfind(' ') + 1); }

// Within single quotes of a specification for _arguments, where brackets and colons mean something.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      out += fmt::format("\\{}", c);
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string zsh_values(const CommandOption& option) {
  if (!option.values.empty()) return fmt::format("({})", fmt::join(option.values, " "));
  return option.type == "N" || option.type == "X" ? " " : "_files";
}

std::string zsh_command(const Command& command) {
  std::string out = fmt::format("    '{}')\n      _arguments", command.name);
  for (const CommandOption& o : command.options) {
    if (o.positional) continue;
    out += fmt::format(" \\\n        '{}{}[{}]{}'", o.name, o.type.empty() ? "" : "=", zsh_text(o.help),
                       o.type.empty() ? "" : fmt::format(":{}:{}", o.type, zsh_values(o)));
  }
  if (!command.commands.empty()) {
    out += " \\\n        '1:command:((";
    for (const Command& sub : command.commands)
      out += fmt::format("{}\\:\"{}\" ", last_word(sub.name), zsh_text(sub.about));
    out.back() = ')';
    out += ")'";
  }
  for (const CommandOption& o : command.options)
    if (o.positional) out += fmt::format(" \\\n        '{}:{}:{}'", o.several ? "*" : "1", o.name, zsh_values(o));
  return out + "\n      ;;\n";
}

}  // namespace

std::string bash_completion(const Command& program) {
  const std::vector<const Command*> commands = all_commands(program);
  std::vector<std::string> paths;
  for (const Command* c : commands)
    if (c != &program) paths.push_back(fmt::format("'{}'", c->name));
  std::string values, words;
  for (const Command* c : commands) {
    for (const CommandOption& o : c->options)
      if (!o.positional && !o.values.empty())
        values += fmt::format("    '{} {}') words='{}' ;;\n", c->name, o.name, fmt::join(o.values, " "));
      else if (!o.positional && !o.type.empty())
        values += fmt::format("    '{} {}') return ;;\n", c->name, o.name);
    words += fmt::format("        '{}') words='{}' ;;\n", c->name, fmt::join(words_after(*c), " "));
  }
  return fmt::format(R"(# Completion of {0} for bash, made by: {0} generate bash
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command={0} words i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$command ${{COMP_WORDS[i]}}" in
      {1}) command+=" ${{COMP_WORDS[i]}}" ;;
    esac
  done
  # --flag=value comes as three words
  if [[ $current == '=' ]]; then current=''; elif [[ $before == '=' ]]; then before=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
  case "$command $before" in
{2}    *)
      case "$command" in
{3}      esac
      ;;
  esac
  # Flags are offered to who began one: else files would never be.
  [[ $current == -* || $words != -* ]] || return 0
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o bashdefault -o default -F _{0} {0}
)",
                     program.name, fmt::join(paths, " | "), values, words);
}

std::string zsh_completion(const Command& program) {
  std::string cases;
  std::vector<std::string> paths;
  for (const Command* c : all_commands(program)) {
    cases += zsh_command(*c);
    if (c != &program) paths.push_back(fmt::format("'{}'", c->name));
  }
  return fmt::format(R"(#compdef {0}
# Completion of {0} for zsh, made by: {0} generate zsh
_{0}() {{
  local command={0}
  local -i at=2
  while ((at < CURRENT)); do
    case "$command $words[at]" in
      ({1}) command+=" $words[at]" ;;
      (*) break ;;
    esac
    ((++at))
  done
  words=("${{(@)words[at - 1, -1]}}")
  ((CURRENT -= at - 2))
  case $command in
{2}  esac
}}
_{0} "$@"
)",
                     program.name, fmt::join(paths, "|"), cases);
}

}  // namespace signstep::cli
