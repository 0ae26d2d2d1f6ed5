// SPDX-License-Identifier: Apache-2.0
// Carries out planned runs as child processes (`signstep train`), several at a time: a crash of one is the end of that
// one.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "signstep/base/subprocess.h"
#include "signstep/experiment/experiment_plan.h"

namespace signstep {

struct RunProgress {
  std::string name;
  bool tuning = false;
  double share = 0;          // done, [0, 1]
  double seconds_left = -1;  // -1: not known yet
  std::string figures = {};  // "epoch 2/5  loss 0.812  accuracy 71.3 %  1210 images/s"
  double images_per_second = 0;
};

enum class RunOutcome { kFinished, kDiverged, kStopped, kBusy, kFailed };

struct EndedRun {
  PlannedRun run;
  RunOutcome outcome = RunOutcome::kFinished;
  std::string reason;  // of a failure: the child's last words and its exit code
  int exit_code = 0;
  double images_per_second = 0;  // the last that it reported; 0: none
};

class RunQueue {
 public:
  // program: the signstep to start. data: --data of every run, "" leaves it to the search path. threads: of a run whose
  // own setting is 0; 0: each run times itself and chooses.
  RunQueue(std::string program, std::string data, unsigned threads)
      : program_(std::move(program)), data_(std::move(data)), threads_(threads) {}

  // Asks the runs to save and waits for them, reading what they say, at most kSaveTime; what is left then is killed and
  // goes on from its last checkpoint.
  ~RunQueue();
  RunQueue(const RunQueue&) = delete;
  RunQueue& operator=(const RunQueue&) = delete;
  static constexpr auto kSaveTime = std::chrono::seconds(120);

  // Starts a run, or continues it where its folder holds one. Throws EnvironmentError when no process can be started.
  void start(const PlannedRun& run);
  size_t running() const { return children_.size(); }
  std::vector<RunProgress> progress() const;
  // Waits at most this long for something to happen; gives the runs that ended.
  std::vector<EndedRun> wait(std::chrono::milliseconds longest);
  // Asks every run to save and stop.
  void stop();

 private:
  struct Child {
    PlannedRun run;
    std::unique_ptr<Subprocess> process;
    RunProgress progress;
    std::string last_words = {};
  };
  std::vector<std::string> command(const PlannedRun& run) const;
  static void hear(Child& child, const std::string& line);
  static EndedRun end(Child& child);

  std::string program_, data_;
  unsigned threads_;
  std::list<Child> children_;
};

}  // namespace signstep
