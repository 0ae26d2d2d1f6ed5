// SPDX-License-Identifier: Apache-2.0
// signstep export: a run for other programs.
#include <filesystem>
#include <optional>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/saved_run.h"
#include "signstep/base/error.h"
#include "signstep/data/augment.h"
#include "signstep/export/format.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_folder.h"
#include "signstep/runs/run_summary.h"

namespace signstep::cli {
namespace {

struct ExportCommand {
  std::string run, to, output;
  bool replace = false;
};

// What a user of the weights must know: what the images were, and what is done to them before the network.
Metadata about_network(const TrainOptions& o, std::optional<int64_t> side, uint64_t steps) {
  const DatasetSpec& set = find_dataset(o.dataset);
  const auto text = [](const auto& value) { return fmt::format("{}", value); };
  const auto list = [](const std::vector<float>& values) { return fmt::format("{}", fmt::join(values, " ")); };
  Metadata about{
      {"network", o.network.name}, {"width", text(o.network.width)},       {"dataset", o.dataset},
      {"labels", o.labels},        {"mean", list(set.normalization.mean)}, {"std", list(set.normalization.std)},
      {"steps", text(steps)}};
  if (side) {
    about["image_side"] = text(*side);
    about["padding"] = text((framed_side(static_cast<int>(*side)) - *side) / 2);
  }
  return about;
}

void make_folder_of(const std::string& path) {
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) make_folders(folder.string());
}

std::vector<std::string> export_network(const ExportFormat& format, const std::string& run, const std::string& path) {
  const std::string source = find_checkpoint(run);
  const Checkpoint checkpoint(source);
  const int64_t steps = static_cast<int64_t>(checkpoint.step());
  const TrainOptions options = recorded_options(checkpoint.identity().options, source);
  fmt::print("From {}\n", source);
  make_folder_of(path);
  const std::vector<TensorEntry> tensors = checkpoint.network();
  const std::optional<int64_t> side = image_side_of(options, checkpoint);
  return format.network({.tensors = with_batches_tracked(tensors, steps),
                         .about = about_network(options, side, checkpoint.step()),
                         .shape = network_of(options, checkpoint),
                         .side = side ? std::optional(framed_side(static_cast<int>(*side))) : std::nullopt},
                        path);
}

std::vector<std::string> export_course(const ExportFormat& format, const std::string& run, const std::string& path,
                                       bool replace) {
  if (!holds_a_run(run))
    throw OptionError(fmt::format("{} holds no run (no run.json); --to {} wants a run folder", run, format.name));
  const RunFiles files(run);
  if (files.epochs.empty())
    throw OptionError(fmt::format("{} has no finished epoch (status {}), so there is no course to export", run,
                                  shown(files.record.status)));
  make_folder_of(path);
  return format.course(files, path, replace);
}

int run_export(const ExportCommand& c) {
  const ExportFormat& format = find_export_format(c.to);
  require_path(c.run, "a run folder");
  std::string path = c.output;
  if (path.empty()) {
    if (!is_folder(c.run))
      throw OptionError(fmt::format("{} is no run folder; say where the file goes with --output", c.run));
    path = c.run + "/export/" + format.file;
  } else if (is_folder(path) && std::filesystem::path(format.file).has_extension()) {
    throw OptionError(fmt::format("{} is a folder, and --to {} writes a file; name one", path, format.name));
  } else if (path_exists(path) && !is_folder(path) && !c.replace) {
    throw OptionError(fmt::format("{} exists; choose another --output, or add --replace", path));
  }
  const auto written = format.network ? export_network(format, c.run, path)
                                      : export_course(format, c.run, path, c.replace || c.output.empty());
  for (const std::string& file : written) fmt::print("Written {}\n", file);
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Run& run) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App* sub = app.add_subcommand("export", "A run's weights or curves for other programs");
  sub->add_option("RUN", command->run, "run folder, or for weights a checkpoint file")->required();
  std::string formats = "Formats of --to:\n";
  for (const ExportFormat& format : export_formats()) formats += fmt::format("  {:12} {}\n", format.name, format.help);
  CLI::Option* to =
      sub->add_option("--to", command->to, fmt::format("one of {}", fmt::join(export_format_names(), ", ")));
  to->type_name("FORMAT")->required();
  offer(to, export_format_names());
  sub->add_option("--output", command->output, "file, or folder of tensorboard; default: in RUN/export")
      ->type_name("FILE");
  sub->add_flag("--replace", command->replace, "write over a file that is there");
  sub->footer(formats + "Example: signstep export runs/first --to pt");
  sub->callback([command, &run] { run = [command] { return run_export(*command); }; });
}

}  // namespace signstep::cli
