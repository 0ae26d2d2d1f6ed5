// SPDX-License-Identifier: Apache-2.0
// A progress line for studies: drawn over itself on a terminal, a plain line every half minute when piped.
#pragma once

#include <string>

#include "cli/terminal.h"

namespace signstep::cli {

class Progress {
 public:
  explicit Progress(bool quiet);

  // total of 0: how much there is to do is not known. Time left is judged from the part done under the same name.
  void update(size_t done, size_t total, const std::string& part, const std::string& phase = "");

 private:
  const bool quiet_;
  LiveText live_;
  std::string phase_;
  LiveText::Clock::time_point phase_begin_ = LiveText::Clock::now();
};

}  // namespace signstep::cli
