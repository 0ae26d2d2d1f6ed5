// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_summary.h"

#include "signstep/base/error.h"
#include "signstep/io/config.h"
#include "signstep/io/label.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_files.h"

namespace signstep {
namespace {

std::string value_or(const std::map<std::string, std::string>& config, const char* key, const char* otherwise) {
  const auto found = config.find(key);
  return found == config.end() ? otherwise : found->second;
}

}  // namespace

double RunSummary::steps_per_epoch() const {
  const auto steps = static_cast<double>(epochs.front().step), epoch = static_cast<double>(epochs.front().epoch);
  return steps > 0 && epoch > 0 ? steps / epoch : 1;
}

bool holds_a_run(const std::string& folder) {
  return path_exists(record_path(folder)) && !path_exists(folder + "/experiment.json");
}

RunSummary read_run(const std::string& folder) {
  require_path(folder, "a run folder");
  if (path_exists(folder + "/experiment.json")) {
    throw OptionError(fmt::format("{} holds an experiment; signstep compare FILE --collect makes its report", folder));
  }
  if (!path_exists(record_path(folder))) {
    throw OptionError(
        fmt::format("{} holds no run (no run.json); name the folder that signstep train --output named", folder));
  }
  const RunFiles files(folder);
  RunSummary run{.folder = folder, .record = files.record, .epochs = files.epochs, .config = {}};
  try {
    run.config = read_toml_values(config_path(folder));
  } catch (const OptionError& e) {
    throw DataError(fmt::format("{}; the file was damaged", e.what()));
  }
  const std::string& status = run.record.status;
  if (run.epochs.empty()) {
    const bool over = status == RunRecord::kDiverged || status == RunRecord::kFailed;
    throw OptionError(fmt::format("{} has no finished epoch{} (status {}); {}leave the run out", folder,
                                  over ? "" : " yet", shown(status), over ? "" : "wait for the first, or "));
  }
  if (status == RunRecord::kFinished || status == RunRecord::kDiverged) files.require_agreement();
  return run;
}

std::string method_name(const RunSummary& run) {
  std::string name = shown(run.record.optimizer);
  if (value_or(run.config, "switch_when", "never") != "never") name += "-to-SGD switch";
  if (value_or(run.config, "dither", "none") != "none") name = "dithered " + name;
  return name;
}

std::string shown(const std::string& text) { return text.empty() ? "-" : printable(text); }

std::string shown(uint64_t count) { return count == 0 ? "-" : std::to_string(count); }

std::string shown(const std::optional<uint64_t>& number) { return number ? std::to_string(*number) : "-"; }

std::string shown(const MachineRecord& machine) {
  return fmt::format("{}, {} threads", shown(machine.cpu), shown(machine.threads));
}

std::string shown(const ProgramRecord& program) {
  return fmt::format("signstep {} ({})", shown(program.version), shown(program.commit));
}

}  // namespace signstep
