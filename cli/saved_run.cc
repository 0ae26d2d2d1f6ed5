// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_run.h"

#include <algorithm>
#include <utility>

#include "cli/engines.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/checkpoint.h"

namespace signstep::cli {
namespace {

// Channels and classes do not matter to an engine.
bool possible_here(const TrainOptions& run) {
  const Network network = make_network(run.network, 3, 10);
  return std::any_of(engines().begin(), engines().end(), [&](const EngineRecord& e) {
    return e.name == run.engine.name && e.obstacle(run.engine, network).empty();
  });
}

}  // namespace

SavedRun open_saved_run(const std::string& settings, const std::string& weights,
                        const std::function<void(OptionList&)>& change) {
  SavedRun run;
  const std::string source = find_checkpoint(settings);
  run.checkpoint = weights.empty() ? source : find_checkpoint(weights);
  const RunIdentity identity = Checkpoint(source).identity();
  run.options = recorded_options(identity.options, source);
  run.trained_with = std::exchange(run.options.engine.name, "");
  OptionList list = option_list(run.options);
  change(list);
  if (run.options.engine.name.empty()) {  // nobody asked for another
    run.options.engine.name = run.trained_with;
    if (!possible_here(run.options)) run.options.engine.name = "auto";
  }
  run.data = load_dataset(run.options.dataset, run.options.data, run.options.labels);
  run.data_sha256 = run.data.checksum();
  if (!identity.data_sha256.empty()) run.same_data = identity.data_sha256 == run.data_sha256;
  run.split = make_split(run.data.train.count(), static_cast<size_t>(run.options.validation));
  const Network network = make_network(run.options.network, run.data.train.channels, run.data.train.classes);
  run.choice = choose_engine(engines(), run.options.engine, network);
  run.engine = run.choice.make(network);
  load_weights(run.checkpoint, *run.engine);
  return run;
}

}  // namespace signstep::cli
