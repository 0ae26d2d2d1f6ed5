// SPDX-License-Identifier: Apache-2.0
// `signstep train --tensorboard`: event files while a run goes on, in RUN/tensorboard.
#pragma once

#include <string>

#include "signstep/train/trainer.h"

namespace signstep::cli {

// Hands everything on. After each epoch its figures are appended to the session's file, which begins with those of the
// epochs before and voids earlier sessions' files: what a resumed run does again is shown once.
class EventLog final : public TrainObserver {
 public:
  explicit EventLog(TrainObserver& next) : next_(next) {}  // next outlives this

  void started(const std::string& run_folder, const RunRecord& run) override;
  void batch(const BatchProgress& progress) override { next_.batch(progress); }
  void evaluating(const char* split) override { next_.evaluating(split); }
  void epoch(const EpochRecord& record) override;
  void note(const std::string& message) override { next_.note(message); }
  void warning(const std::string& message) override { next_.warning(message); }
  void failed(const std::string& why) override { next_.failed(why); }

 private:
  void begin();
  void append(const EpochRecord& record) const;

  TrainObserver& next_;
  std::string run_folder_, file_;
  double run_started_ = 0;  // seconds since 1970
  EpochRecord previous_;
};

}  // namespace signstep::cli
