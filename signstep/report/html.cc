// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/html.h"

#include "signstep/base/error.h"
#include "signstep/base/version.h"

namespace signstep {
namespace {

constexpr std::string_view kGenerator = "<meta name=\"generator\" content=\"signstep\">";

constexpr const char* kStyle = R"(
body { font: 16px/1.5 system-ui, "DejaVu Sans", Arial, sans-serif; color: #202020; background: #fff; max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .4rem 0; }
.note { color: #505050; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e2e2e2; }
th { border-bottom: 2px solid #909090; font-weight: 600; }
td.number { white-space: nowrap; }
figure { margin: 1.2rem 0; }
figure svg { width: 100%; height: auto; }
figcaption { color: #505050; font-size: .88rem; }
summary { cursor: pointer; font-weight: 600; font-size: 1.15rem; margin: 1.6rem 0 .4rem; }
.warning { border-left: 4px solid #d55e00; padding: .3rem .8rem; background: #fff6ef; }
)";

bool is_numeric(const std::string& cell) {
  return !cell.empty() && cell.find_first_of("0123456789") != std::string::npos &&
         cell.find_first_of("0123456789+-") == 0 && cell.size() < 40;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_table(const HtmlTable& table) {
  std::string body = "<div class=\"wide\"><table>\n";
  if (!table.header.empty()) {
    body += "<tr>";
    for (const std::string& cell : table.header) body += fmt::format("<th>{}</th>", html_escaped(cell));
    body += "</tr>\n";
  }
  for (const auto& row : table.rows) {
    body += "<tr>";
    for (const std::string& cell : row)
      body += fmt::format("<td{}>{}</td>", is_numeric(cell) ? " class=\"number\"" : "", html_escaped(cell));
    body += "</tr>\n";
  }
  body += "</table></div>\n";
  for (const std::string& note : table.notes) body += fmt::format("<p class=\"note\">{}</p>\n", html_escaped(note));
  if (table.folded) {
    return fmt::format("<details><summary>{}</summary>\n{}</details>\n", html_escaped(table.title), body);
  }
  return fmt::format("<h2>{}</h2>\n{}", html_escaped(table.title), body);
}

std::string html_page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{}\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}<p class=\"note\">Made by signstep {} "
      "({}).</p>\n</body>\n</html>\n",
      kGenerator, html_escaped(title), kStyle, body, version(), commit());
}

bool is_our_page(std::string_view html) { return html.find(kGenerator) != std::string_view::npos; }

}  // namespace signstep
