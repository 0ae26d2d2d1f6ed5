// SPDX-License-Identifier: Apache-2.0
// signstep predict: what a saved model says of pictures.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/commands.h"
#include "cli/saved_run.h"
#include "signstep/base/error.h"
#include "signstep/base/text_table.h"
#include "signstep/data/picture.h"
#include "signstep/io/json_text.h"
#include "signstep/io/path.h"
#include "signstep/train/evaluate.h"

namespace signstep::cli {
namespace {

struct PredictCommand {
  std::string run;
  std::vector<std::string> images;
  size_t top = 3;
  bool json = false;
};

// As the network's data set has them.
ImageSet network_input(const std::string& path, const DatasetSpec& spec, std::optional<int64_t> image_side,
                       int64_t classes) {
  Picture picture = read_picture(path);
  const int side = static_cast<int>(image_side.value_or(std::min(picture.height, picture.width)));
  picture = resized(picture, side, side);
  return {.channels = spec.channels,
          .height = picture.height,
          .width = picture.width,
          .classes = static_cast<int>(classes),
          .pixels = planes(picture, spec.channels),
          .labels = {0}};
}

struct Guess {
  std::string name;
  float probability;
};

// Every class, the likeliest first.
std::vector<Guess> guesses(const Predictions& p, const std::vector<std::string>& names) {
  std::vector<Guess> all;
  for (size_t k = 0; k < p.classes; ++k) all.push_back({names.at(k), p.probability(0, static_cast<uint32_t>(k))});
  std::stable_sort(all.begin(), all.end(),
                   [](const Guess& a, const Guess& b) { return a.probability > b.probability; });
  return all;
}

int run_predict(const PredictCommand& c) {
  SavedNetwork run = open_saved_network(c.run);
  const DatasetSpec& spec = find_dataset(run.options.dataset);
  const std::vector<std::string>& names = run.class_names;
  if (run.engine->network().classes != static_cast<int64_t>(names.size()))
    throw CheckpointError(fmt::format("{} has {} classes, and {} has {}; it is another program's checkpoint",
                                      run.checkpoint, run.engine->network().classes, spec.name, names.size()));
  std::vector<ImageSet> inputs;  // all of them are read before anything is said
  for (const std::string& path : c.images) {
    require_path(path, "a PNG or JPEG file");
    inputs.push_back(network_input(path, spec, run.image_side, run.engine->network().classes));
  }
  TextTable table{{"image"}, {}};
  const size_t shown = std::clamp<size_t>(c.top, 1, names.size());
  for (size_t i = 0; i < shown; ++i) table.header.insert(table.header.end(), {"class", "%"});
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (size_t i = 0; i < inputs.size(); ++i) {
    Predictions p;
    evaluate(*run.engine, *evaluation_loader(inputs[i], {}, spec.normalization, run.options), p);
    table.rows.push_back({c.images[i]});
    json.push_back({{"image", c.images[i]}, {"classes", nlohmann::ordered_json::array()}});
    const std::vector<Guess> all = guesses(p, names);
    for (size_t k = 0; k < shown; ++k) {
      table.rows.back().insert(table.rows.back().end(), {all[k].name, fmt::format("{:.1f}", 100 * all[k].probability)});
      json.back()["classes"].push_back({{"class", all[k].name}, {"probability", all[k].probability}});
    }
  }
  fmt::print("{}", c.json ? json_text(json) + "\n" : aligned(table, false));
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Run& run) {
  auto command = std::make_shared<PredictCommand>();
  CLI::App* sub = app.add_subcommand("predict", "What a saved model says of PNG or JPEG pictures");
  sub->add_option("RUN", command->run, "run folder (its newest checkpoint) or checkpoint file")->required();
  sub->add_option("IMAGE", command->images, "pictures of any size: cut in the middle and scaled to the network's")
      ->required();
  sub->add_option("--top", command->top, "how many classes are shown of each")->type_name("N")->capture_default_str();
  sub->add_flag("--json", command->json, "print a JSON list of objects");
  sub->footer("Example: signstep predict runs/first cat.jpg dog.png");
  sub->callback([command, &run] { run = [command] { return run_predict(*command); }; });
}

}  // namespace signstep::cli
