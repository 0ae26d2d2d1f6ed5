// SPDX-License-Identifier: Apache-2.0
// What the ranks of a run do together besides training.
#pragma once

#include <string>

#include "signstep/runs/run_folder.h"
#include "signstep/train/trainer.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// Of one worker nothing waits. open_folder, hold_folder and agreed are collective, and throw what the communicator
// throws.
class RunRanks {
 public:
  // Null, or of one rank: one worker.
  explicit RunRanks(Communicator* world) : world_(world != nullptr && world->size() > 1 ? world : nullptr) {}

  Communicator* world() const { return world_; }  // null: one worker
  size_t rank() const { return world_ == nullptr ? 0 : world_->rank(); }

  // Rank 0 makes the folder, and the others wait for that; where it cannot, they hear that rank 0 has ended.
  RunFolder open_folder(const std::string& output, bool resume) const;
  // After it all ranks have seen the folder, and it may be written.
  void hold_folder() const;
  // The same answer at every rank: the greatest of theirs.
  StopReason agreed(StopReason own) const;

 private:
  Communicator* world_;
};

}  // namespace signstep
