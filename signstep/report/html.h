// SPDX-License-Identifier: Apache-2.0
// The few pieces of HTML that a report needs. Text is escaped here and nowhere else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signstep/base/text_table.h"

namespace signstep {

// Text as HTML content or as a quoted attribute.
std::string html_escaped(std::string_view text);

// A file's path as the target of a link.
std::string url_escaped(std::string_view path);

struct HtmlTable {
  std::string title;
  std::vector<std::string> header;             // empty: none
  std::vector<std::vector<std::string>> rows;  // of one length
  std::vector<std::string> notes = {};         // below the table, a paragraph each
  bool folded = false;                         // shown when the reader opens it
};
std::string html_table(const HtmlTable& table);
HtmlTable titled(std::string title, TextTable table, std::vector<std::string> notes = {});

// A whole page that loads nothing: its own content security policy forbids it, and every script but these. body is
// HTML; the scripts run after it.
std::string html_page(std::string_view title, std::string_view body, const std::vector<std::string>& scripts = {});

// Whether this text is a page of html_page.
bool is_our_page(std::string_view html);

}  // namespace signstep
