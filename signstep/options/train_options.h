// SPDX-License-Identifier: Apache-2.0
// Everything that defines a training run. One aggregate, recorded in the run folder and in every checkpoint.
#pragma once

#include <cstdint>
#include <string>

#include "signstep/data/augment.h"
#include "signstep/data/dataset.h"
#include "signstep/nn/engine_options.h"
#include "signstep/nn/network.h"
#include "signstep/optim/optimizer_options.h"
#include "signstep/optim/schedule.h"
#include "signstep/optim/worker_options.h"

namespace signstep {

enum class OnNonFinite { kStop, kSkip };

// After which epochs the test images are measured.
enum class TestWhen { kEpoch, kEnd, kNever };

struct TrainOptions {
  std::string dataset = "cifar10";
  std::string data;  // folder; "" searches (data/dataset.h)
  std::string labels = "fine";
  int64_t image_size = 0;     // pixels: side to which the pictures of a folder are brought; 0: as they are
  int64_t validation = 5000;  // images held out of the training set
  int64_t limit_train = 0;    // of the others, how many are trained on; 0: all
  AugmentOptions augment{.crop = true, .flip = true};
  NetworkOptions network;
  OptimizerOptions optimizer;  // the rules to choose from come with it
  DitherOptions dither;
  SwitchOptions switching;
  ScheduleOptions schedule;
  int64_t epochs = 5;
  int64_t batch = 128;  // images, of all workers together
  uint64_t seed = 1;    // of initial weights, order, augmentation and dither
  OnNonFinite on_nonfinite = OnNonFinite::kStop;
  double diverged_above = 3;  // >= 0; an epoch's mean loss, over the first epoch's or chance's; 0: never (divergence.h)
  TestWhen test_when = TestWhen::kEpoch;
  // Weights to start from, a safetensors file; "" draws them from the seed. The checksum of the file's bytes is part of
  // what the run is, the path is not; "": what the file has when the run starts.
  std::string init, init_sha256;
  WorkerOptions workers;
  EngineOptions engine;
  int64_t loader_threads = 1;
  std::string output;
  int64_t checkpoint_every = 0;  // steps; 0: at the end of each epoch only
  int64_t analyze_every = 0;     // steps; 0: never (gradient_probe.h)
};

void describe(OptionList& list, TrainOptions& options);

// A list of all options, for flags, TOML, JSON and checkpoints. Points into options.
OptionList option_list(TrainOptions& options);

// data and init as they hold from any working folder.
TrainOptions with_absolute_paths(TrainOptions options);

// Whether nothing in the run depends on how long it is, so that it can be made longer on the way: a constant rate
// without warm-up, a constant dither or none, no switch to SGD.
bool can_be_longer(const TrainOptions& options);

// Ranges checked, every auto filled in except engine and precision, which may differ from machine to machine until a
// run has started. With several workers zero skip becomes random: a bit cannot say "no step". Throws OptionError.
TrainOptions resolved(TrainOptions options);

}  // namespace signstep
