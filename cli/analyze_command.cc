// SPDX-License-Identifier: Apache-2.0
// signstep analyze: whether the small-batch theory's picture fits a saved network, and what dither would do to it.
#include <cmath>
#include <filesystem>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "cli/saved_run.h"
#include "signstep/analysis/analyze_report.h"
#include "signstep/analysis/theory_rates.h"
#include "signstep/base/error.h"
#include "signstep/base/version.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/config.h"
#include "signstep/io/path.h"
#include "signstep/io/safetensors.h"
#include "signstep/report/figures.h"

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
    l.text("engine", engine, "empty: as recorded, like the next two; signstep train --help lists them");
    l.text("precision", precision, "of convolutions");
    l.text("threads", threads, "0: all cores that the process may use");
  }
};

std::string percent(double part, double whole) { return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-"; }

void print_block(const std::string& name, const SnrProfile& p, const ShapeCounts& shapes) {
  const double judged = p.coordinates - p.silent;
  fmt::print("{:<12} {:>11.0f}  {:>8}  {:>7}  {:>7}  {:>8}  {:>8}  {:>9}  {:>8}\n", name, p.coordinates,
             p.noise > 0 ? fmt::format("{:.4f}", std::sqrt(std::max(0.0, p.squares) / p.noise)) : "-",
             judged > 0 ? fmt::format("{:.4f}", p.weight / judged) : "-", percent(p.high, judged),
             percent(p.below_floor, judged), fmt::format("{:.4f}", p.density()),
             percent(shapes.symmetric, shapes.tested), percent(shapes.unimodal, shapes.tested));
}

void print_analysis(const BatchAnalysis& a) {
  fmt::print("\nBatch {}: {} draws with replacement, loss {:.4f} +- {:.4f}; ", a.batch, a.draws, a.loss.mean,
             a.loss.standard_error());
  if (a.reference == Reference::kEpoch)
    fmt::print("reference: an epoch of {} batches, error {:.3f} sigma (at most {:.3f})\n", a.reference_batches,
               a.reference_error, a.reference_at_most);
  else
    fmt::print("reference: the mean of the draws, error 1/sqrt(K) = {:.4f} sigma\n", a.reference_error);
  fmt::print("{:<12} {:>11}  {:>8}  {:>7}  {:>7}  {:>8}  {:>8}  {:>9}  {:>8}\n", "block", "coordinates", "rms S",
             "mean w", "S>1.155", "no signal", "density", "symmetric", "unimodal");
  for (const BlockAnalysis& b : by_block(a)) print_block(b.name, b.profile, b.shapes);
  print_block("network", a.network, a.shapes);
  fmt::print(
      "Shape tests at level 5 %, {} draws. Symmetry rejects {:.0f} % of Gaussian samples, {:.0f} % at skewness 0.5, "
      "{:.0f} % at 1;\n"
      "unimodality {:.0f} % of Gaussian ones, {:.0f} % of two bumps 3 sd apart, {:.0f} % 4 sd apart.\n",
      a.draws, 100 * a.power.gaussian_asymmetric, 100 * a.power.skewness_half, 100 * a.power.skewness_one,
      100 * a.power.gaussian_multimodal, 100 * a.power.bumps3, 100 * a.power.bumps4);
  fmt::print("Stationarity: l1 {:.4g}, l2 {:.4g}, SNR-weighted {:.4g} (debiased; raw l1 {:.4g}, l2 {:.4g})\n",
             a.network.l1, std::sqrt(std::max(0.0, a.network.squares)), a.network.weighted, a.network.l1_raw,
             std::sqrt(a.network.squares_raw));

  fmt::print("\n{:>8} {:>8}  {:>11}  {:>19}  {:>8}  {}\n", "S from", "to", "coordinates", "failure rate", "bound",
             "verdict");
  for (size_t b = 0; b < kSnrBins; ++b) {
    const SnrBin& bin = a.network.bins[b];
    const std::string verdict = a.verdict(b);
    if (verdict.empty()) continue;
    // The sampling error is unknown where fewer than two of the sampled coordinates fall into the bin.
    const double error = a.sample.failure_error[b];
    const std::string spread = std::isfinite(error) ? fmt::format("+- {:<7.4f}", error) : std::string();
    fmt::print("{:>8.4f} {:>8.4f}  {:>11.0f}  {:>8.4f} {:<10}  {:>8.4f}  {}\n", snr_bin_edge(b), snr_bin_edge(b + 1),
               bin.count, bin.failures / bin.count, spread, bin.bound / bin.count,
               verdict == "floor" ? "not judged: too close to the reference's error" : verdict);
  }
  fmt::print("\n{:>6}  {:>9}  {:>9}  {:>21}  {:>16}\n", "dither", "promised", "predicted", "measured",
             "fixed point |g*|");
  const bool independent = a.reference == Reference::kEpoch;
  for (size_t l = 0; l < kLevels; ++l) {
    fmt::print("{:>6g}  {:>9.5f}  {:>9}  {:>21}  {:>10.5f} sigma\n", kDitherLevels[l],
               a.network.promised[l] / a.network.l1,
               independent ? fmt::format("{:.5f}", a.network.predicted[l] / a.network.l1) : "-",
               independent ? fmt::format("{:.5f} +- {:.5f}", a.sample.descent[l].mean / a.network.l1,
                                         a.sample.descent[l].standard_error() / a.network.l1)
                           : "-",
               a.network.fixed_point[l] / a.network.with_noise);
  }
  fmt::print("(Levels of relative dither. First-order descent per learning rate, over the l1 norm.)\n{}\n",
             dither_advice(a));
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
  const AnalyzeData images{run.data.train, run.split.train, run.data.spec->normalization};
  const std::string& path = run.checkpoint;
  const Network& network = run.engine->network();
  const std::filesystem::path file(path);
  if (c.output.empty()) {
    const std::string folder = is_folder(c.run) ? c.run : file.parent_path().string();
    c.output = fmt::format("{}/analysis/{}", folder.empty() ? "." : folder, file.stem().string());
  }

  if (!c.json) {
    fmt::print("{}\n{}, width {}, {} parameters; {}; {} training images of {}\n", path, network.display_name,
               network.options.width, network.parameter_count(), run.engine->description(), images.indices.size(),
               run.options.dataset);
  }
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
      {"options", to_json(described)},
      {"batches", nlohmann::ordered_json::array()}};
  for (const BatchAnalysis& a : analyses) json["batches"].push_back(to_json(a));
  make_folders(c.output);
  write_file_atomic(c.output + "/analysis.json", json.dump(1) + "\n");
  for (const BatchAnalysis& a : analyses)
    if (!a.dump.name.empty())
      write_dump(fmt::format("{}/{}-batch{}.safetensors", c.output, a.dump.name, a.batch), a.dump);
  const Figures figures = write_figures(analyze_charts(analyses), {.folder = c.output});
  if (c.json) {
    fmt::print("{}\n", json.dump());
    return 0;
  }
  for (const BatchAnalysis& a : analyses) print_analysis(a);
  fmt::print("\nWritten     {}/analysis.json{}\n", c.output,
             figures.drawn.empty() ? "" : fmt::format(" and {} figures (*.svg)", figures.drawn.size()));
  if (!figures.problem.empty()) fmt::print("No figures  {}\n", figures.problem);
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
