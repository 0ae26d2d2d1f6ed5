// SPDX-License-Identifier: Apache-2.0
// The documented exit codes (docs/running.md and --help say the same).
#pragma once

#include "signstep/base/error.h"
#include "signstep/train/trainer.h"

namespace signstep::cli {

inline constexpr int kInternal = 1;
inline constexpr int kInterrupted = 130;  // 128 + SIGINT
inline constexpr int kTerminated = 143;   // 128 + SIGTERM; a closed terminal (SIGHUP) too
inline constexpr int kTimeUp = 75;        // EX_TEMPFAIL: run it again with --resume

inline constexpr const char* kExitCodeHelp =
    "Exit codes: 0 done, 1 internal error, 2 wrong option, 3 bad data set, 4 bad checkpoint, 5 file system or "
    "machine, 6 training diverged, 75 stopped by --stop-after, 130 stopped by Ctrl-C, 143 stopped by SIGTERM or a "
    "hangup.";

constexpr int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kOption: return 2;
    case ErrorKind::kData: return 3;
    case ErrorKind::kCheckpoint: return 4;
    case ErrorKind::kEnvironment: return 5;
    case ErrorKind::kDiverged: return 6;
  }
  return kInternal;
}

constexpr int exit_code(StopReason reason) {
  switch (reason) {
    case StopReason::kNone: return 0;
    case StopReason::kInterrupt: return kInterrupted;
    case StopReason::kTerminate: return kTerminated;
    case StopReason::kTime: return kTimeUp;
  }
  return kInternal;
}

}  // namespace signstep::cli
