// SPDX-License-Identifier: Apache-2.0
// What an epoch is measured on when it has ended.
#pragma once

#include <functional>
#include <optional>

#include "signstep/nn/engine.h"
#include "signstep/options/train_options.h"
#include "signstep/train/progress.h"
#include "signstep/train/run_images.h"
#include "signstep/train/trainer.h"

namespace signstep {

// The held-out images where there are any, and the test images where options say so after this epoch (counted from 1).
// Nothing when stop says so; stop and world as for evaluate().
std::optional<EpochFigures> measure_epoch(Engine& engine, RunImages& images, const TrainOptions& options,
                                          uint64_t epoch, TrainObserver& observer, const std::function<bool()>& stop,
                                          Communicator* world);

}  // namespace signstep
