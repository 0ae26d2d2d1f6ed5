// SPDX-License-Identifier: Apache-2.0
// signstep analyze: whether the small-batch theory's picture fits a saved network, and what dither would do to it.
#include <filesystem>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "cli/saved_run.h"
#include "signstep/analysis/analyze_page.h"
#include "signstep/analysis/analyze_report.h"
#include "signstep/analysis/analyze_tables.h"
#include "signstep/analysis/theory_rates.h"
#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/base/version.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"
#include "signstep/io/safetensors.h"
#include "signstep/report/page.h"
#include "signstep/report/report.h"
#include "signstep/theory/dither_law.h"

namespace signstep::cli {
namespace {

struct AnalyzeCommand {
  std::string run, checkpoint;
  AnalyzeOptions options;
  std::vector<int64_t> batches;
  std::string output, data, engine, precision, threads;
  bool json = false, quiet = false;
  std::unique_ptr<Flags> flags;

  OptionList list() {
    OptionList l;
    describe(l, options);
    describe_batches(l, batches, 65536, 0, "batch sizes, separated by commas; empty: the run's own");
    describe_machine(l);
    l.group("Session");
    l.text("output", output, "folder for analysis.json and figures; empty: RUN/analysis/CHECKPOINT");
    l.flag("json", json, "print one JSON object in the place of the tables");
    l.flag("quiet", quiet, "no progress line");
    return l;
  }

  // Those of the run's own options that may be other here; empty: as recorded.
  void describe_machine(OptionList& l) {
    l.group("Machine");
    l.text("data", data, "folder of the data set; empty: where the run found it");
    l.text("engine", engine, "empty: as recorded, like the next two; signstep train --help-all lists them");
    l.text("precision", precision, "of convolutions");
    l.text("threads", threads, "0: all cores that the process may use");
  }
};

// Of the average whose sign the run's optimizer takes; 1 where it takes none, or that of the gradient itself.
double average_noise_of(const OptimizerOptions& options) {
  const std::string rule = options.get("optimizer");
  const auto value = [&](const char* option) { return *parse_number(options.get(option)); };
  if (rule == "signum") return average_noise(value("momentum"), value("momentum"));
  if (rule == "lion") return average_noise(value("beta1"), value("beta2"));
  return 1;
}

std::string augmentation_text(const AugmentOptions& a) {
  std::vector<std::string> parts;
  if (a.crop) parts.emplace_back("crop");
  if (a.flip) parts.emplace_back("flip");
  if (a.cutout > 0) parts.push_back(fmt::format("cutout {}", a.cutout));
  return parts.empty() ? "without augmentation" : fmt::format("with {}", fmt::join(parts, ", "));
}

void print_analysis(const BatchAnalysis& a, double average_noise) {
  fmt::print("\n");
  for (const std::string& sentence : {picture_verdict(a), descent_verdict(a), dither_advice(a),
                                      average_text(a, average_noise), measured_text(a), stationarity_text(a)})
    if (!sentence.empty()) fmt::print("{}\n", sentence);
  fmt::print("\n");
  fmt::print("{}{}\n\n", aligned(block_table(a)), power_text(a));
  fmt::print("{}\n", aligned(failure_table(a)));
  fmt::print("{}(Levels of relative dither. First-order descent per learning rate, over the l1 norm.)\n",
             aligned(dither_table(a)));
}

void write_dump(const std::string& path, const TensorDump& dump) {
  const auto n = static_cast<int64_t>(dump.reference.size()), k = static_cast<int64_t>(dump.draws.size()) / n;
  const std::vector<TensorEntry> entries{{"draws", "F32", {k, n}, std::as_bytes(std::span(dump.draws))},
                                         {"reference", "F32", {n}, std::as_bytes(std::span(dump.reference))}};
  write_safetensors(path, entries, {{"signstep.tensor", dump.name}});
}

int run_analyze(AnalyzeCommand& c) {
  c.flags->apply();
  if (c.run.empty() && c.checkpoint.empty())
    throw OptionError("nothing to analyze; name a run folder or a checkpoint file");
  OptionList given;
  c.describe_machine(given);
  const auto changed = [&](OptionList& options) {
    for (const Option& option : given.options())
      if (const std::string value = option.text(); !value.empty()) options.set(option.name, value);
  };
  const SavedRun run =
      c.run.empty() ? open_saved_run(c.checkpoint, "", changed) : open_saved_run(c.run, c.checkpoint, changed);
  const std::vector<uint32_t> batches =
      distinct_batches(c.batches.empty() ? std::vector<int64_t>{run.options.batch} : c.batches);
  if (c.options.images == AnalyzedImages::kAsTrained) c.options.augment = run.options.augment;
  const double average = average_noise_of(run.options.optimizer);
  const AnalyzeData images{run.data.train, run.split.train, run.data.normalization};
  const std::string& path = run.checkpoint;
  const Network& network = run.engine->network();
  const std::filesystem::path file(path);
  if (c.output.empty()) {
    const std::string folder = is_folder(c.run) ? c.run : file.parent_path().string();
    c.output = fmt::format("{}/analysis/{}", folder.empty() ? "." : folder, file.stem().string());
  }

  const std::string what =
      fmt::format("{}, width {}, {} parameters; {}; {} training images of {}, {}", network.display_name,
                  network.options.width, network.parameter_count(), run.engine->description(), images.indices.size(),
                  run.options.dataset, augmentation_text(c.options.augment));
  require_own_folder(c.output, kAnalysisPage, "analysis.json");
  if (!c.json) fmt::print("{}\n{}\n", path, what);
  std::vector<BatchAnalysis> analyses;
  for (const uint32_t batch : batches) {
    Progress line(c.quiet || c.json);
    analyses.push_back(
        analyze(*run.engine, images, batch, c.options, [&](const char* phase, size_t done, size_t total) {
          line.update(done, total, fmt::format("batch {}, {}", batch, phase), fmt::format("{} {}", batch, phase));
        }));
  }

  OptionList described = c.list();
  nlohmann::ordered_json json = {
      {"schema", 1},
      {"program", version()},
      {"commit", commit()},
      {"checkpoint", path},
      {"engine", run.engine->description()},
      {"data", {{"dataset", run.options.dataset}, {"sha256", run.data_sha256}, {"images", images.indices.size()}}},
      {"augmentation", augmentation_text(c.options.augment)},
      {"options", to_json(described)},
      {"batches", nlohmann::ordered_json::array()}};
  for (const BatchAnalysis& a : analyses) json["batches"].push_back(to_json(a));
  make_folders(c.output);
  write_file_atomic(c.output + "/analysis.json", json.dump(1) + "\n");
  for (const BatchAnalysis& a : analyses)
    if (!a.dump.name.empty())
      write_dump(fmt::format("{}/{}-batch{}.safetensors", c.output, a.dump.name, a.batch), a.dump);
  const Figures figures = write_page(analyze_page(analyses, {path, what + "."}, average), analyze_charts(analyses),
                                     c.output, kAnalysisPage);
  if (c.json) {
    fmt::print("{}\n", json.dump());
    return 0;
  }
  for (const BatchAnalysis& a : analyses) print_analysis(a, average);
  fmt::print("\nWritten     {}/{}, analysis.json{}\n", c.output, kAnalysisPage, figures_text(figures));
  return 0;
}

}  // namespace

void add_analyze(CLI::App& app, Run& run) {
  auto command = std::make_shared<AnalyzeCommand>();
  CLI::App* sub =
      app.add_subcommand("analyze", "Measure signal, noise and sign failures of a saved network's gradients");
  sub->add_option("RUN", command->run, "run folder (its newest checkpoint) or checkpoint file");
  sub->add_option("--checkpoint", command->checkpoint, "weights to analyze; settings are RUN's, or else the file's own")
      ->type_name("FILE");
  command->flags = std::make_unique<Flags>(*sub, command->list());
  sub->footer(
      "Example: signstep analyze runs/first --draws 256 --batches 32,128\ndocs/theory.md says what each column means.");
  sub->callback([command, &run] { run = [command] { return run_analyze(*command); }; });
}

}  // namespace signstep::cli
