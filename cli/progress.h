// SPDX-License-Identifier: Apache-2.0
// A progress line for studies: drawn over itself on a terminal, a plain line every half minute when piped.
#pragma once

#include <chrono>
#include <string>

namespace signstep::cli {

class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress();

  // total of 0: how much there is to do is not known. Time left is judged from the part done under the same name.
  void update(size_t done, size_t total, const std::string& part, const std::string& phase = "");
  void finish();  // erases the line

 private:
  using Clock = std::chrono::steady_clock;
  const bool quiet_, terminal_;
  bool drawn_ = false;
  std::string phase_;
  Clock::time_point phase_begin_ = Clock::now(), last_ = Clock::now();
};

}  // namespace signstep::cli
