// SPDX-License-Identifier: Apache-2.0
// The images of a run: those that it learns from, in their batches, and those that it is measured on.
#pragma once

#include <memory>
#include <optional>

#include "signstep/data/dataset.h"
#include "signstep/data/loader.h"
#include "signstep/data/split.h"
#include "signstep/options/train_options.h"
#include "signstep/train/gradient_probe.h"

namespace signstep {

struct RunImages {
  // Reads the whole set; rank: which share of each training batch. Throws as load_dataset, make_split and Loader do.
  explicit RunImages(const TrainOptions& options, size_t rank = 0);
  RunImages(const RunImages&) = delete;  // the loaders refer to data
  RunImages& operator=(const RunImages&) = delete;

  // Every batch but the probe's comes raw: for an engine that renders.
  void leave_raw();

  const Dataset data;
  const Split split;
  Loader training;
  const std::unique_ptr<Loader> test, validation;  // validation: null where no images are held out
  std::optional<GradientProbe> probe;              // where analyze_every asks for one
};

}  // namespace signstep
