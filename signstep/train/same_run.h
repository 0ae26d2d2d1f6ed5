// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/train/run_identity.h"
#include "signstep/wire/communicator.h"

namespace signstep {

// Throws EnvironmentError at every rank where another version of the program, other images or other settings than rank
// 0's are seen, naming the rank and what differs; whether to resume is one of the settings. The folders of the data and
// of first weights, and the loader's threads, may differ.
void require_same_run(Communicator& world, const RunIdentity& run, bool resume);

}  // namespace signstep
