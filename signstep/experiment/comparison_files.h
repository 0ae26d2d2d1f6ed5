// SPDX-License-Identifier: Apache-2.0
// A comparison as files: Markdown for documents, CSV and JSON for programs.
#pragma once

#include <string>

#include "signstep/experiment/comparison.h"

namespace signstep {

// command: how the table was made; it stands above it.
std::string markdown_text(const Comparison& comparison, const std::string& command);

// One line per row, every number in full; times come last, because they alone differ when runs are repeated.
std::string csv_text(const Comparison& comparison);
// Everything: trials with their scores, runs with their folders, differences.
std::string json_text(const Comparison& comparison);

}  // namespace signstep
