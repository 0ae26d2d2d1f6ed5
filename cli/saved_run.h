// SPDX-License-Identifier: Apache-2.0
// The one place where a saved run is opened to compute with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "signstep/data/dataset.h"
#include "signstep/data/split.h"
#include "signstep/nn/engine_table.h"
#include "signstep/options/train_options.h"
#include "signstep/train/checkpoint.h"

namespace signstep::cli {

// A network with its weights, which needs no images to be opened.
struct SavedNetwork {
  std::string checkpoint;  // the file that the weights are from
  TrainOptions options;    // resolved: those that the run was started with, but for what the caller changed
  std::vector<std::string> class_names = {};
  std::optional<int64_t> image_side = {};  // image_side_of
  std::string trained_with;                // engine's name
  std::string obstacle;                    // why that one cannot compute here; empty: it does
  EngineChoice choice;  // the same where it can be had here, else any: it gives the same figures but for rounding
  std::unique_ptr<Engine> engine;  // with the weights and running statistics
};

struct SavedRun : SavedNetwork {
  Dataset data;
  std::string data_sha256;        // of these images
  std::optional<bool> same_data;  // whether the run saw these images; none where the checkpoint does not say
  Split split;
};

// The network whose weights the checkpoint holds.
Network network_of(const TrainOptions& options, const Checkpoint& source);

// Pixels, of the images as the set has them; none for pictures of a folder whose checkpoint is of an earlier version.
std::optional<int64_t> image_side_of(const TrainOptions& options, const Checkpoint& source);

// run: a run folder or checkpoint file. Throws CheckpointError, and OptionError for an engine that is not to be had.
SavedNetwork open_saved_network(const std::string& run);

// settings: the run folder or checkpoint file that says what the run was; weights: another one, or "" for the same.
// change: the caller's word on options, before anything is loaded. Throws Error: CheckpointError for what is no
// checkpoint or of another network, DataError, and OptionError for an engine that is not to be had.
SavedRun open_saved_run(const std::string& settings, const std::string& weights,
                        const std::function<void(OptionList&)>& change);

}  // namespace signstep::cli
