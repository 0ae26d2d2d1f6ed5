// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/gnuplot.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "signstep/base/error.h"
#include "signstep/base/subprocess.h"

namespace signstep {
namespace {

constexpr const char* kMissing = "gnuplot is not installed; install it (Debian: gnuplot-nox) and make the report again";

constexpr auto kLimit = std::chrono::minutes(2);  // a picture takes 50 ms

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// gnuplot gives every picture the same ids (gpPt0, gnuplot_canvas, ..., textbox), and every curve a tooltip with its
// id.
std::string with_own_ids(std::string svg, const std::string& prefix) {
  for (size_t at = 0; (at = svg.find("<title>gnuplot_plot_", at)) != std::string::npos;) {
    svg.erase(at, svg.find("</title>", at) + 8 - at);
  }
  replace_all(svg, "id='textbox'", "id='" + prefix + "-textbox'");
  for (const char quote : {'\'', '"'}) {
    replace_all(svg, fmt::format("id={}g", quote), fmt::format("id={}{}-g", quote, prefix));
    replace_all(svg, fmt::format("href={}#g", quote), fmt::format("href={}#{}-g", quote, prefix));
  }
  replace_all(svg, "url(#g", "url(#" + prefix + "-g");
  return svg;
}

}  // namespace

bool gnuplot_available() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string folder(rest.substr(0, rest.find(':')));
    if (::access((folder + "/gnuplot").c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
  }
  return false;
}

Drawing run_gnuplot(std::string_view script, const std::string& prefix) {
  if (!gnuplot_available()) return {.svg = "", .problem = kMissing};
  const auto failed = [](const std::string& why) {
    return Drawing{.svg = "", .problem = "gnuplot made no picture: " + why};
  };
  Subprocess::Ended ended;
  try {
    ended = Subprocess({"gnuplot", "-d"}, Subprocess::Errors::kApart).communicate(script, kLimit);
  } catch (const EnvironmentError& e) {
    return failed(e.what());
  }
  if (!ended.in_time) return failed(fmt::format("it did not end within {} minutes", kLimit.count()));
  const std::string& svg = ended.output;
  const size_t begin = svg.find("<svg"), end = svg.rfind("</svg>");
  if (ended.exit_code != 0 || begin == std::string::npos || end == std::string::npos) {
    std::string words = ended.errors.substr(0, 500);
    while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
    return failed(words.empty() ? "it gave no reason" : words);
  }
  return {.svg = with_own_ids(svg.substr(begin, end + 6 - begin), prefix) + "\n", .problem = ""};
}

std::string gnuplot_quoted(std::string_view text) {
  // Between single quotes nothing is substituted: neither `commands` nor @macros nor \escapes.
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out + "'";
}

}  // namespace signstep
