// SPDX-License-Identifier: Apache-2.0
// The workers of `signstep train`: processes that this one starts on its machine, or those that torchrun has started.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cli/private_folder.h"
#include "signstep/base/subprocess.h"
#include "signstep/options/train_options.h"
#include "signstep/wire/communicator.h"
#include "signstep/wire/rendezvous.h"

namespace signstep::cli {

// Where the environment says which rank this is (wire/rendezvous.h), options.workers becomes that world's size if it is
// 1 and open, and must be it otherwise: a recorded run's is not open. Throws OptionError.
void take_world_size(TrainOptions& options, bool open);

class Workers {
 public:
  // Meets the others, which the environment names. Where it says nothing and options want several workers, this process
  // is rank 0 and starts the others with its own command line; they meet by a file in a folder that only this user can
  // read, talk over the loopback interface (Gloo), and end with this process. timeout is that of the meeting and of
  // every call. look is asked until all have come, and what it throws passes. Throws OptionError, and EnvironmentError
  // where a rank does not come, or ends before.
  Workers(const TrainOptions& options, WorkerBackend backend, std::chrono::milliseconds timeout,
          const std::function<void()>& look);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  Communicator* world() const { return world_.get(); }  // null: one worker
  size_t here() const { return here_; }                 // of them on this machine
  bool is_first() const { return world_ == nullptr || world_->rank() == 0; }
  bool is_on_firsts_machine() const { return on_firsts_machine_; }  // with its command line and files

 private:
  void start_others(size_t workers, WorkerBackend backend, std::chrono::milliseconds timeout,
                    const std::function<void()>& look);
  void require_all_running();

  std::optional<PrivateFolder> folder_;  // of the file where they meet, where this process made one
  size_t here_ = 1;
  bool on_firsts_machine_ = true;
  std::vector<std::unique_ptr<Subprocess>> others_;
  std::unique_ptr<Communicator> world_;  // last: is left before the others' end is waited for, and the folder goes
};

}  // namespace signstep::cli
