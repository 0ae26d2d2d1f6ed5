// SPDX-License-Identifier: Apache-2.0
// Where a resumed run goes on.
#pragma once

#include <functional>
#include <string>

#include "signstep/train/checkpoint.h"

namespace signstep {

// Restores the newest intact checkpoint of the folder and returns its path, "" where the folder has none. Damaged ones
// are told to warn. Throws CheckpointError when all are damaged, and when one is of another run. With a world it is
// collective: every rank restores its own part of the newest checkpoint that is whole and intact at all of them, and
// the returned path, the progress and the parts are rank 0's.
std::string restore_newest(const std::string& run_folder, const RunIdentity& run, Learner& learner,
                           TrainProgress& progress, RankParts& parts,
                           const std::function<void(const std::string&)>& warn, Communicator* world = nullptr);

}  // namespace signstep
