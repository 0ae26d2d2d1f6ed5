// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/html.h"

#include "signstep/base/error.h"
#include "signstep/base/version.h"
#include "signstep/io/checksum.h"

namespace signstep {
namespace {

constexpr std::string_view kGenerator = "<meta name=\"generator\" content=\"signstep\">";

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #202020; --pale: #505050; --grid: #e2e2e2; --rule: #909090; --page: #fff; --warn: #fff6ef; --right: 86 180 233; --wrong: 240 170 40; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --pale: #b0b0b0; --grid: #3c3c3c; --rule: #808080; --page: #181818; --warn: #33261c; --right: 0 90 150; --wrong: 150 80 0; }
  figure > svg { filter: invert(.91) hue-rotate(180deg); }
}
body { font: 16px/1.5 system-ui, "DejaVu Sans", Arial, sans-serif; color: var(--ink); background: var(--page); max-width: 980px; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .4rem 0; }
.verdict { font-size: 1.1rem; }
.note { color: var(--pale); font-size: .9rem; }
.wide { overflow-x: auto; }
.wide td, .wide th { overflow-wrap: normal; }
.wide td:not(.number) { min-width: 6rem; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
th { border-bottom: 2px solid var(--rule); font-weight: 600; }
td.number { white-space: nowrap; }
.confusion th, .confusion td { border: 0; padding: .2rem .35rem; text-align: right; vertical-align: middle; white-space: nowrap; }
.confusion tr:first-child th { vertical-align: bottom; }
.confusion th:first-child { text-align: left; padding-left: 0; position: sticky; left: 0; background: var(--page); }
.confusion th span { writing-mode: vertical-rl; transform: rotate(180deg); }
.confusion td[style] { background: rgb(var(--wrong) / var(--share)); }
.confusion td.right { background: rgb(var(--right) / var(--share)); }
figure { margin: 1.6rem 0; }
figure > svg { width: 100%; height: auto; display: block; }
@media (max-width: 600px) { figure { overflow-x: auto; } figure > svg { min-width: 700px; } }
figure.drawn > svg, figure:not(.drawn) > h3, body:not(:has(.drawn)) .live-hint { display: none; }
figcaption { color: var(--pale); font-size: .88rem; }
figcaption a { color: inherit; }
summary { cursor: pointer; font-weight: 600; font-size: 1.15rem; margin: 1.6rem 0 .4rem; }
.warning { border-left: 4px solid #d55e00; padding: .3rem .8rem; background: var(--warn); }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0 0 0 1rem; }
.plot { width: 100%; height: 21rem; }
.axis { color: var(--pale); font-size: .82rem; }
.axis.foot { display: flex; justify-content: space-between; gap: 1rem; min-height: 1.3rem; }
.key { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .86rem; margin: .2rem 0; }
.at { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.name { display: inline-flex; align-items: center; gap: .4rem; border: 0; background: none; color: inherit; font: inherit; padding: .1rem 0; text-align: left; }
button.name { cursor: pointer; }
.name[aria-pressed=false] { opacity: .4; text-decoration: line-through; }
.name i { flex: none; width: 1.6rem; border-top: 3px solid var(--curve); }
.name.dashed i, .name.dashdotted i { border-top-style: dashed; }
.name.dotted i { border-top-style: dotted; }
.name.points i, .name.bars i { width: .5rem; height: .5rem; border: 0; border-radius: 50%; background: var(--curve); }
.name output { font-variant-numeric: tabular-nums; font-weight: 600; }
.dygraph-axis-label { color: var(--pale); font-size: 12px; white-space: nowrap; }
@media (max-width: 600px) { .plot { height: 15rem; } body { margin-top: 1rem; } .confusion { font-size: .66rem; } .confusion th, .confusion td { padding: .15rem .14rem; } }
@media print { .live { display: none; } figure.drawn > svg { display: block; } }
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

std::string url_escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
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

HtmlTable titled(std::string title, TextTable table, std::vector<std::string> notes) {
  return {.title = std::move(title),
          .header = std::move(table.header),
          .rows = std::move(table.rows),
          .notes = std::move(notes)};
}

std::string html_page(std::string_view title, std::string_view body, const std::vector<std::string>& scripts) {
  std::string allowed, elements;
  for (const std::string& script : scripts) {
    allowed += fmt::format(" 'sha256-{}'", sha256_base64(std::as_bytes(std::span(script))));
    elements += fmt::format("<script>{}</script>\n", script);
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{}\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:{}{}\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}<p class=\"note\">Made by signstep {} "
      "({}).</p>\n{}</body>\n</html>\n",
      kGenerator, scripts.empty() ? "" : "; script-src", allowed, html_escaped(title), kStyle, body, version(),
      commit(), elements);
}

bool is_our_page(std::string_view html) { return html.find(kGenerator) != std::string_view::npos; }

}  // namespace signstep
