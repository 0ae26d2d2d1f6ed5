// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cli/exit_code.h"
#include "signstep/base/version.h"

namespace signstep::cli {
namespace {

// troff reads a backslash, a dot or quote at a line's beginning, and takes a bare "-" for a hyphen.
std::string troff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

std::string option_text(const CommandOption& o) {
  const std::string value = o.type.empty() || o.positional ? "" : fmt::format(" \\fI{}\\fR", troff(o.type));
  std::string out = fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", troff(o.name), value, troff(o.help));
  if (!o.standard.empty()) out += fmt::format("Default: {}.\n", troff(o.standard));
  return out;
}

std::string synopsis(const Command& c) {
  std::string out = fmt::format("\\fB{}\\fR", troff(c.name));
  for (const CommandOption& o : c.options)
    if (o.positional) out += fmt::format(" \\fI{}\\fR{}", troff(o.name), o.several ? "..." : "");
  const bool takes = std::any_of(c.options.begin(), c.options.end(), [](const auto& o) { return !o.positional; });
  return out + (takes ? " [\\fIoptions\\fR]" : "");
}

// Footers are lines that stand as they are.
std::string lines_as_they_are(const std::string& text) {
  return text.empty() ? "" : fmt::format(".PP\n.nf\n{}\n.fi\n", troff(text));
}

std::string command_text(const Command& c) {
  std::string out = fmt::format(".SS {}\n{}\n.PP\n{}.\n", troff(c.name), synopsis(c), troff(c.about)), group;
  for (const CommandOption& o : c.options) {
    if (o.group != group && o.group != "Positionals" && o.group != "Options")
      out += fmt::format(".PP\n\\fI{}\\fR\n", troff(o.group));
    group = o.group;
    out += option_text(o);
  }
  out += lines_as_they_are(c.footer);
  for (const Command& sub : c.commands) out += command_text(sub);
  return out;
}

}  // namespace

std::string manual_page(const Command& program) {
  std::string out = fmt::format(
      ".\\\" Made by: {0} generate man\n.TH {1} 1 \"\" \"{0} {2}\" \"User Commands\"\n.SH NAME\n{0} \\- trains neural "
      "networks with the sign of the gradient\n.SH SYNOPSIS\n\\fB{0}\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.SH "
      "DESCRIPTION\n{3}\n.SH COMMANDS\n",
      program.name, upper(program.name), version(), troff(program.about));
  for (const Command& c : program.commands) out += command_text(c);
  out += ".SH OPTIONS\n";
  for (const CommandOption& o : program.options) out += option_text(o);
  return out + fmt::format(".SH EXIT STATUS\n{}\n", troff(kExitCodeHelp));
}

}  // namespace signstep::cli
