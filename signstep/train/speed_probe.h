// SPDX-License-Identifier: Apache-2.0
// How fast training steps are here and now, measured on random images: for time estimates and for the choice of
// threads.
#pragma once

#include <cstddef>

#include "signstep/data/batch.h"
#include "signstep/nn/engine.h"
#include "signstep/optim/optimizer_options.h"

namespace signstep {

struct ImageShape {
  int channels = 3, height = 32, width = 32, classes = 10;
};

// Standard normal pixels and uniform labels, always the same ones.
Batch random_batch(size_t count, const ImageShape& shape);

// Median seconds of a step (gradient and optimizer) after one that warms up: at least one step, then until they took
// that many seconds. Overwrites the engine's values.
double step_seconds(Engine& engine, const OptimizerOptions& optimizer, const Batch& batch, double seconds);

// Median seconds of a forward pass after one that warms up: at least one, then until they took that many seconds. When
// the first alone takes longer than give_up, its time is the answer. Overwrites the engine's values.
double forward_seconds(Engine& engine, const Batch& batch, double seconds, double give_up);

double median(std::vector<double> values);  // 0 for none

}  // namespace signstep
