// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, SIGTERM and SIGHUP (a closed terminal) as a question that long work asks between its steps.
#pragma once

#include <csignal>

namespace signstep::cli {

inline volatile std::sig_atomic_t caught_signal = 0;  // SIGINT, SIGTERM (also for SIGHUP) or 0

inline void on_stop_signal(int number) {
  caught_signal = number == SIGHUP ? SIGTERM : number;
  std::signal(number, SIG_DFL);  // a second one ends the program at once
}

inline void catch_stop_signals() {
  caught_signal = 0;
  std::signal(SIGINT, on_stop_signal);
  std::signal(SIGTERM, on_stop_signal);
  if (std::signal(SIGHUP, on_stop_signal) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // started by nohup
}

}  // namespace signstep::cli
