// SPDX-License-Identifier: Apache-2.0
// A page of its own: what was found in a sentence, the words that it needs, tables, charts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "signstep/report/figures.h"
#include "signstep/report/html.h"

namespace signstep {

struct Page {
  std::string title;
  std::string verdict;                                     // a sentence or two; lines are paragraphs
  std::vector<std::string> facts;                          // what was looked at, a paragraph each
  std::vector<std::pair<std::string, std::string>> words;  // a term and what it means
  std::vector<HtmlTable> tables;
};

// Writes the page to FOLDER/FILE and each chart as an SVG file beside it; the folder is there. A page of signstep that
// stood there is replaced, anything else is refused with OptionError.
Figures write_page(const Page& page, const std::vector<NamedChart>& charts, const std::string& folder,
                   const std::string& file);

// Whether a page of signstep stands at that path; throws OptionError where something else does.
bool earlier_page(const std::string& path);

// For who writes FOLDER/PAGE, its figures and FOLDER/NUMBERS, a JSON file: throws OptionError, before the work begins,
// where files of these two names are not of signstep.
void require_own_folder(const std::string& folder, const std::string& page, const std::string& numbers);

}  // namespace signstep
