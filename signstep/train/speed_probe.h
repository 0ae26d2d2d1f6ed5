// SPDX-License-Identifier: Apache-2.0
// How fast training steps are here and now, measured on random images: for time estimates and for the choice of
// threads.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "signstep/data/batch.h"
#include "signstep/nn/engine_table.h"
#include "signstep/options/train_options.h"

namespace signstep {

struct ImageShape {
  int channels = 3, height = 32, width = 32, classes = 10;
};

// Of images as a network is given them.
ImageShape framed_shape(int channels, int height, int width, int classes);

// Standard normal pixels and uniform labels, always the same ones.
Batch random_batch(size_t count, const ImageShape& shape);

// The same images in both ways that an engine may be given them (Engine::renders): random bytes of 3 x 32 x 32 pixels
// as a loader leaves them, and what they become. Always the same ones.
struct TwoBatches {
  Batch raw, rendered;
};
TwoBatches random_bytes_batch(size_t count);

// Images per second of a run's training steps (gradient and optimizer) with its own network, engine, optimizer and
// batch: a step that warms up, then at least one, and until they took two seconds. Throws OptionError where no engine
// can do it.
double training_speed(const TrainOptions& options, const EngineTable& engines, const ImageShape& images);

// Median seconds of a forward pass after one that warms up: at least one, then until they took that many seconds. When
// the first alone takes longer than give_up, its time is the answer. Overwrites the engine's values.
double forward_seconds(Engine& engine, const Batch& batch, double seconds, double give_up);

double median(std::vector<double> values);  // 0 for none

}  // namespace signstep
