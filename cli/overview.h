// SPDX-License-Identifier: Apache-2.0
// What a person sees while an experiment goes on: a block of lines drawn over itself on a terminal, plain lines
// elsewhere.
#pragma once

#include <string>

#include "cli/terminal.h"
#include "signstep/experiment/compare.h"

namespace signstep::cli {

class OverviewConsole final : public CompareObserver {
 public:
  OverviewConsole(std::string title, bool quiet);

  void overview(const Overview& overview) override;
  void line(const std::string& message) override;

 private:
  const std::string title_;
  const bool quiet_;
  LiveText live_;
};

}  // namespace signstep::cli
