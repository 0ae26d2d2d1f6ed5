// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_run.h"

#include <utility>

#include "cli/data_folder.h"
#include "cli/engines.h"
#include "signstep/base/error.h"
#include "signstep/runs/run_folder.h"

namespace signstep::cli {
namespace {

// Why the run's engine cannot compute here what it computed there; empty where it can. Channels and classes do not
// matter to an engine.
std::string obstacle_here(const TrainOptions& run) {
  for (const EngineRecord& e : engines())
    if (e.name == run.engine.name) return e.obstacle(run.engine, make_network(run.network, 3, 10));
  return "this program was built without it";
}

// What the run was, but for what change says. Nobody asking for an engine gets the run's, or any where that is not
// possible here.
void read_settings(SavedNetwork& run, const Checkpoint& source, const std::string& path,
                   const std::function<void(OptionList&)>& change) {
  run.options = recorded_options(source.identity().options, path);
  run.trained_with = std::exchange(run.options.engine.name, "");
  OptionList list = option_list(run.options);
  change(list);
  if (!run.options.engine.name.empty()) return;
  run.options.engine.name = run.trained_with;
  run.obstacle = obstacle_here(run.options);
  // Its device and precision may be what is not possible.
  if (!run.obstacle.empty()) run.options.engine = {.threads = run.options.engine.threads};
}

// Classes are numbered by the folders' names, so other names would be other classes.
void require_same_classes(const Checkpoint& source, const Dataset& data) {
  const std::vector<std::string> known = source.class_names();
  if (known.empty() || known == data.class_names) return;
  throw DataError(fmt::format("the pictures in {} are of the classes {}, and the run knows {}; name its folders so",
                              data.folder, fmt::join(data.class_names, ", "), fmt::join(known, ", ")));
}

void make_engine(SavedNetwork& run, const Network& network) {
  run.choice = choose_engine(engines(), run.options.engine, network);
  run.engine = run.choice.make(network);
  load_weights(run.checkpoint, *run.engine);
}

}  // namespace

Network network_of(const TrainOptions& options, const Checkpoint& source) {
  int64_t channels = 0, classes = 0;  // the first convolution's and the last layer's shapes say them
  for (const TensorEntry& t : source.network()) {
    if (t.shape.size() == 4 && channels == 0) channels = t.shape[1];
    if (t.shape.size() == 2) classes = t.shape[0];
  }
  return make_network(options.network, channels, classes);
}

std::optional<int64_t> image_side_of(const TrainOptions& options, const Checkpoint& source) {
  const DatasetSpec& set = find_dataset(options.dataset);
  if (!set.folder_reader) return set.height;
  if (const auto side = source.image_side()) return side;
  return options.image_size > 0 ? std::optional(options.image_size) : std::nullopt;
}

SavedNetwork open_saved_network(const std::string& name) {
  SavedNetwork run;
  run.checkpoint = find_checkpoint(name);
  const Checkpoint source(run.checkpoint);
  read_settings(run, source, run.checkpoint, [](OptionList&) {});
  run.class_names = source.class_names();
  run.image_side = image_side_of(run.options, source);
  const DatasetSpec& spec = find_dataset(run.options.dataset);
  if (!spec.folder_reader) run.class_names = spec.labels[label_kind(spec, run.options.labels)].names;
  make_engine(run, network_of(run.options, source));
  return run;
}

SavedRun open_saved_run(const std::string& settings, const std::string& weights,
                        const std::function<void(OptionList&)>& change) {
  SavedRun run;
  const std::string path = find_checkpoint(settings);
  run.checkpoint = weights.empty() ? path : find_checkpoint(weights);
  const Checkpoint source(path);
  read_settings(run, source, path, [&](OptionList& list) {
    const std::string recorded = run.options.data;
    change(list);
    if (run.options.data == recorded) run.options.data = data_folder_of(run.options);
  });
  run.data = load_dataset(run.options.dataset, run.options.data, run.options.labels, run.options.image_size);
  if (run.data.spec->folder_reader) require_same_classes(source, run.data);
  run.data_sha256 = run.data.checksum();
  const std::string recorded = source.identity().data_sha256;
  if (!recorded.empty()) run.same_data = recorded == run.data_sha256;
  run.split = make_split(run.data.train.count(), static_cast<size_t>(run.options.validation),
                         static_cast<size_t>(run.options.limit_train));
  make_engine(run, make_network(run.options.network, run.data.train.channels, run.data.train.classes));
  return run;
}

}  // namespace signstep::cli
