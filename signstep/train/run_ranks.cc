// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/run_ranks.h"

#include <algorithm>
#include <span>
#include <vector>

#include "signstep/wire/gather.h"

namespace signstep {

RunFolder RunRanks::open_folder(const std::string& output, bool resume) const {
  if (rank() == 0) return RunFolder(output, resume);
  world_->barrier();
  return RunFolder::at_rank(output, rank());
}

void RunRanks::hold_folder() const {
  if (world_ == nullptr) return;
  if (rank() == 0) world_->barrier();  // the one that the others wait at in open_folder
  world_->barrier();
}

StopReason RunRanks::agreed(StopReason own) const {
  if (world_ == nullptr) return own;
  const std::vector<StopReason> all = gathered(*world_, std::span<const StopReason>(&own, 1));
  return *std::max_element(all.begin(), all.end());
}

}  // namespace signstep
