// SPDX-License-Identifier: Apache-2.0
// signstep eval: accuracy of a saved model on a named split.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/engines.h"
#include "cli/flags.h"
#include "cli/saved_run.h"
#include "signstep/base/error.h"
#include "signstep/data/split.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/checkpoint.h"
#include "signstep/train/trainer.h"

namespace signstep::cli {
namespace {

enum class SplitName { kTest, kValidation, kTrain };

struct EvalCommand {
  std::string run, data;
  SplitName split = SplitName::kTest;
  bool json = false;
  std::unique_ptr<Flags> flags;

  OptionList list() {
    OptionList l;
    l.group("Options");
    l.choice("split", split, {"test", "validation", "train"}, "which images");
    l.text("data", data, "folder of the data set; empty: where the run found it");
    l.flag("json", json, "print one JSON object");
    return l;
  }
};

int run_eval(EvalCommand& c) {
  c.flags->apply();
  const std::string path = find_checkpoint(c.run);
  SavedRun saved = saved_run(path);
  TrainOptions& options = saved.options;
  if (!c.data.empty()) options.data = c.data;
  const Dataset data = load_dataset(options.dataset, options.data, options.labels);
  nlohmann::ordered_json same_data;  // null: the checkpoint does not say
  if (!saved.data_sha256.empty()) same_data = saved.data_sha256 == data.checksum();
  if (same_data == false) {
    fmt::print(stderr, "signstep: the images in {} are not those of the run: their checksum is another\n", data.folder);
  }
  Split split = make_split(data.train.count(), static_cast<size_t>(options.validation));
  if (c.split == SplitName::kValidation && split.validation.empty()) {
    throw OptionError("the run held out no validation images; choose --split test or train");
  }
  const bool test = c.split == SplitName::kTest;
  const auto loader = evaluation_loader(test ? data.test : data.train,
                                        test                           ? std::vector<uint32_t>()
                                        : c.split == SplitName::kTrain ? split.train
                                                                       : split.validation,
                                        options);
  const Network network = make_network(options.network, data.train.channels, data.train.classes);
  const EngineChoice choice = engine_of_saved_run(options.engine, network);
  if (!choice.reason.empty())
    fmt::print(stderr, "signstep: trained with engine {}, evaluated with {}, because {}\n", options.engine.name,
               choice.options.name, choice.reason);
  const auto engine = choice.make(network);
  load_weights(path, *engine);
  const Evaluation e = evaluate(*engine, *loader);
  const std::string name = c.flags->list().find("split")->text();
  if (c.json) {
    const nlohmann::ordered_json out = {{"checkpoint", path},     {"split", name},      {"data", data.folder},
                                        {"same_data", same_data}, {"images", e.images}, {"accuracy", e.accuracy},
                                        {"loss", e.loss}};
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("{}\n{} accuracy {:.2f} % on {} images (loss {:.4f})\n", path, name, e.accuracy, e.images, e.loss);
  }
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Run& run) {
  auto command = std::make_shared<EvalCommand>();
  CLI::App* sub = app.add_subcommand("eval", "Measure the accuracy of a saved model");
  sub->add_option("RUN", command->run, "run folder (its newest checkpoint) or checkpoint file")->required();
  command->flags = std::make_unique<Flags>(*sub, command->list());
  sub->callback([command, &run] { run = [command] { return run_eval(*command); }; });
}

}  // namespace signstep::cli
