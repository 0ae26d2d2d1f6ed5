// SPDX-License-Identifier: Apache-2.0
// What a person sees while an experiment goes on: a block of lines drawn over itself on a terminal, plain lines
// elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "signstep/experiment/compare.h"

namespace signstep::cli {

class OverviewConsole final : public CompareObserver {
 public:
  OverviewConsole(std::string title, bool quiet);
  ~OverviewConsole() override;

  void overview(const Overview& overview) override;
  void line(const std::string& message) override;

 private:
  using Clock = std::chrono::steady_clock;
  void erase();

  const std::string title_;
  const bool quiet_, terminal_;
  size_t drawn_lines_ = 0;
  Clock::time_point last_draw_{}, last_line_ = Clock::now();
};

// The block: counts, a bar, a line for each running run. Each line is cut to the columns.
std::string overview_text(const std::string& title, const Overview& overview, size_t columns);

}  // namespace signstep::cli
