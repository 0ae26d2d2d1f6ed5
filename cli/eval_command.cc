// SPDX-License-Identifier: Apache-2.0
// signstep eval: accuracy of a saved model on a named split, and which classes it takes for which.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/flags.h"
#include "cli/saved_run.h"
#include "signstep/base/error.h"
#include "signstep/base/text_table.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_summary.h"
#include "signstep/train/confusion.h"

namespace signstep::cli {
namespace {

constexpr size_t kWidestMatrix = 20, kMistakes = 20;

enum class SplitName { kTest, kValidation, kTrain };

struct EvalCommand {
  std::string run, data, predictions;
  SplitName split = SplitName::kTest;
  bool json = false, per_class = false, confusion = false;
  std::unique_ptr<Flags> flags;

  OptionList list() {
    OptionList l;
    l.group("Options");
    l.choice("split", split, {"test", "validation", "train"}, "which images");
    l.text("data", data, "folder of the data set; empty: where the run found it");
    l.flag("per_class", per_class, "accuracy and precision of each class");
    l.flag("confusion", confusion,
           "how many images of each class are taken for each; above 20 classes the worst pairs");
    l.text("predictions", predictions, "write a CSV file with what the network says of each image");
    l.flag("json", json, "print one JSON object");
    return l;
  }
};

std::vector<uint32_t> indices_of(const SavedRun& run, SplitName split) {
  if (split == SplitName::kTrain) return run.split.train;
  if (split == SplitName::kValidation) return run.split.validation;
  std::vector<uint32_t> all(run.data.test.count());
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

std::string percent_text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.2f}", value); }

void print_classes(const Confusion& c, const std::vector<std::string>& names) {
  TextTable table{{"class", "images", "accuracy %", "precision %"}, {}};
  for (size_t k = 0; k < names.size(); ++k)
    table.rows.push_back(
        {names[k], std::to_string(c.images(k)), percent_text(c.recall(k)), percent_text(c.precision(k))});
  fmt::print("\n{}", aligned(table, false));
}

void print_mistakes(const Confusion& c, const std::vector<std::string>& names) {
  TextTable table{{"class", "taken for", "images"}, {}};
  for (const auto& m : c.worst(kMistakes))
    table.rows.push_back({names[m.label], names[m.predicted], std::to_string(m.images)});
  fmt::print("\nThe {} most frequent mistakes; --json has the whole matrix.\n{}", table.rows.size(),
             aligned(table, false));
}

void print_matrix(const Confusion& c, const std::vector<std::string>& names) {
  TextTable table{{"class", "taken for:"}, {}};
  for (size_t k = 0; k < names.size(); ++k) table.header.push_back(std::to_string(k));
  for (size_t k = 0; k < names.size(); ++k) {
    table.rows.push_back({std::to_string(k), names[k]});
    for (const uint64_t count : c.counts[k]) table.rows.back().push_back(std::to_string(count));
  }
  fmt::print("\n{}", aligned(table, false));
}

nlohmann::ordered_json classes_json(const Confusion& c, const std::vector<std::string>& names) {
  const auto number = [](double v) { return std::isnan(v) ? nlohmann::ordered_json() : nlohmann::ordered_json(v); };
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (size_t k = 0; k < names.size(); ++k)
    out.push_back({{"class", names[k]},
                   {"images", c.images(k)},
                   {"accuracy", number(c.recall(k))},
                   {"precision", number(c.precision(k))}});
  return out;
}

void print_json(const EvalCommand& c, const SavedRun& run, const Evaluation& e, const Confusion& confusion) {
  nlohmann::ordered_json same_data;  // null: the checkpoint does not say
  if (run.same_data) same_data = *run.same_data;
  nlohmann::ordered_json out = {{"checkpoint", run.checkpoint},
                                {"split", c.flags->list().find("split")->text()},
                                {"data", run.data.folder},
                                {"same_data", same_data},
                                {"images", e.images},
                                {"accuracy", e.accuracy},
                                {"loss", e.loss}};
  if (c.per_class) out["classes"] = classes_json(confusion, run.data.class_names);
  if (c.confusion) out["confusion"] = confusion.counts;
  fmt::print("{}\n", json_text(out));
}

// For the run's report. A run that others own can be measured, and nothing is kept there.
bool keep_confusion(const EvalCommand& c, const SavedRun& run, const Confusion& confusion) {
  if (c.split != SplitName::kTest || run.same_data == false || !holds_a_run(c.run)) return false;
  try {
    write_confusion(c.run, confusion);
  } catch (const EnvironmentError& e) {
    complain(fmt::format("the report of the run will not have this: {}", e.what()));
    return false;
  }
  return true;
}

int run_eval(EvalCommand& c) {
  c.flags->apply();
  const SavedRun run = open_saved_run(c.run, "", [&](OptionList& options) {
    if (!c.data.empty()) options.set("data", c.data);
  });
  if (run.same_data == false) {
    complain(fmt::format("the images in {} are not those of the run: their checksum is another", run.data.folder));
  }
  if (c.split == SplitName::kValidation && run.split.validation.empty()) {
    throw OptionError("the run held out no validation images; choose --split test or train");
  }
  if (is_folder(c.predictions))
    throw OptionError(fmt::format("--predictions is the folder {}; name a file", c.predictions));
  if (const auto folder = std::filesystem::path(c.predictions).parent_path(); !folder.empty() && !is_folder(folder))
    throw EnvironmentError(fmt::format("there is no folder {} for --predictions {}; make it, or name another",
                                       folder.string(), c.predictions));
  if (!c.predictions.empty() && path_exists(c.predictions) &&
      !read_text_file(c.predictions, size_t{1} << 30).starts_with(kPredictionsHead))
    throw OptionError(fmt::format("{} exists and is no table of predictions; name another file", c.predictions));
  if (!run.obstacle.empty())
    complain(fmt::format("trained with engine {}, evaluated with {}, because {}", run.trained_with,
                         run.choice.options.name, run.obstacle));
  const std::vector<uint32_t> images = indices_of(run, c.split);
  const auto loader = evaluation_loader(c.split == SplitName::kTest ? run.data.test : run.data.train, images,
                                        run.data.normalization, run.options);
  Predictions predictions;
  const Evaluation e = evaluate(*run.engine, *loader, predictions);
  const std::vector<std::string>& names = run.data.class_names;
  const Confusion confusion = confusion_of(predictions, names, run.checkpoint);
  if (!c.predictions.empty()) write_file_atomic(c.predictions, predictions_csv(predictions, images, names));
  const bool kept = c.confusion && keep_confusion(c, run, confusion);
  if (c.json) {
    print_json(c, run, e, confusion);
    return 0;
  }
  fmt::print("{}\n{} accuracy {:.2f} % on {} images (loss {:.4f})\n", run.checkpoint,
             c.flags->list().find("split")->text(), e.accuracy, e.images, e.loss);
  if (c.per_class) print_classes(confusion, names);
  if (c.confusion && names.size() <= kWidestMatrix) print_matrix(confusion, names);
  if (c.confusion && names.size() > kWidestMatrix) print_mistakes(confusion, names);
  if (kept) fmt::print("\nKept in {}, which signstep report shows\n", confusion_path(c.run));
  if (!c.predictions.empty()) fmt::print("\nWritten {}\n", c.predictions);
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Run& run) {
  auto command = std::make_shared<EvalCommand>();
  CLI::App* sub = app.add_subcommand("eval", "Measure the accuracy of a saved model");
  sub->add_option("RUN", command->run, "run folder (its newest checkpoint) or checkpoint file")->required();
  command->flags = std::make_unique<Flags>(*sub, command->list());
  sub->footer("Example: signstep eval runs/first --per-class --confusion --predictions predictions.csv");
  sub->callback([command, &run] { run = [command] { return run_eval(*command); }; });
}

}  // namespace signstep::cli
