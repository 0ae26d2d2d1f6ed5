// SPDX-License-Identifier: Apache-2.0
// The weights before the first step.
#pragma once

#include "signstep/io/safetensors.h"
#include "signstep/nn/engine.h"
#include "signstep/options/train_options.h"

namespace signstep {

// Throws OptionError where init and init_sha256 do not fit together; a run that goes on has both or neither.
void check_init_options(const TrainOptions& options, bool resume);

// The file that init names; its checksum is recorded in init_sha256 where none was asked for. Throws CheckpointError
// when the file is damaged or of another checksum; EnvironmentError when it cannot be read.
SafetensorsFile read_init(TrainOptions& options);

// Random weights from the seed, or those of read_init, whose errors it throws; CheckpointError for those of another
// network.
void set_first_weights(TrainOptions& options, Engine& engine);

}  // namespace signstep
