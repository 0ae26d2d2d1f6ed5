// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/page.h"

#include <sstream>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"

namespace signstep {

bool earlier_page(const std::string& path) {
  if (!path_exists(path)) return false;
  if (is_our_page(read_text_file(path, kLargestPage))) return true;
  throw OptionError(fmt::format("{} exists and is no page of signstep; choose another folder with --output", path));
}

void require_own_folder(const std::string& folder, const std::string& page, const std::string& numbers) {
  earlier_page(folder + "/" + page);
  const std::string path = folder + "/" + numbers;
  if (path_exists(path) && !read_text_file(path, kLargestPage).starts_with("{\n \"schema\": 1,\n \"program\":"))
    throw OptionError(fmt::format("{} exists and is no file of signstep; choose another folder with --output", path));
}

Figures write_page(const Page& page, const std::vector<NamedChart>& charts, const std::string& folder,
                   const std::string& file) {
  const std::string path = folder + "/" + file;
  const bool ours = earlier_page(path);
  const Figures figures = write_figures(charts, {.folder = folder, .ours = ours});
  const FigureHtml html = figures_html(figures);
  std::string body = fmt::format("<h1>{}</h1>\n", html_escaped(page.title));
  std::istringstream verdict(page.verdict);
  for (std::string line; std::getline(verdict, line);)
    body += fmt::format("<p class=\"verdict\">{}</p>\n", html_escaped(line));
  for (const std::string& fact : page.facts) body += fmt::format("<p class=\"note\">{}</p>\n", html_escaped(fact));
  if (!page.words.empty()) {
    body += "<details><summary>Words on this page</summary>\n<dl>\n";
    for (const auto& [term, meaning] : page.words)
      body += fmt::format("<dt>{}</dt><dd>{}</dd>\n", html_escaped(term), html_escaped(meaning));
    body += "</dl>\n</details>\n";
  }
  if (!html.body.empty()) body += "<h2>Charts</h2>\n" + html.body;
  if (!figures.problem.empty())
    body += fmt::format("<p class=\"warning\">Without pictures for print: {}.</p>\n", html_escaped(figures.problem));
  for (const HtmlTable& table : page.tables) body += html_table(table);
  write_file_atomic(path, html_page(page.title, body, html.scripts));
  return figures;
}

}  // namespace signstep
