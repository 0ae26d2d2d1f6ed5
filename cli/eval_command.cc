// SPDX-License-Identifier: Apache-2.0
// signstep eval: accuracy of a saved model on a named split.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/saved_run.h"
#include "signstep/base/error.h"
#include "signstep/train/evaluate.h"

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
  const SavedRun run = open_saved_run(c.run, "", [&](OptionList& options) {
    if (!c.data.empty()) options.set("data", c.data);
  });
  if (run.same_data == false) {
    fmt::print(stderr, "signstep: the images in {} are not those of the run: their checksum is another\n",
               run.data.folder);
  }
  if (c.split == SplitName::kValidation && run.split.validation.empty()) {
    throw OptionError("the run held out no validation images; choose --split test or train");
  }
  if (!run.choice.reason.empty())
    fmt::print(stderr, "signstep: trained with engine {}, evaluated with {}, because {}\n", run.trained_with,
               run.choice.options.name, run.choice.reason);
  const bool test = c.split == SplitName::kTest;
  const auto loader = evaluation_loader(test ? run.data.test : run.data.train,
                                        test                           ? std::vector<uint32_t>()
                                        : c.split == SplitName::kTrain ? run.split.train
                                                                       : run.split.validation,
                                        run.options);
  const Evaluation e = evaluate(*run.engine, *loader);
  const std::string name = c.flags->list().find("split")->text();
  if (c.json) {
    nlohmann::ordered_json same_data;  // null: the checkpoint does not say
    if (run.same_data) same_data = *run.same_data;
    const nlohmann::ordered_json out = {
        {"checkpoint", run.checkpoint}, {"split", name},          {"data", run.data.folder}, {"same_data", same_data},
        {"images", e.images},           {"accuracy", e.accuracy}, {"loss", e.loss}};
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("{}\n{} accuracy {:.2f} % on {} images (loss {:.4f})\n", run.checkpoint, name, e.accuracy, e.images,
               e.loss);
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
