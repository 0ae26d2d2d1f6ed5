// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_files.h"

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/json_text.h"
#include "signstep/io/label.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

nlohmann::ordered_json record_json(const std::string& run_folder) {
  const std::string path = record_path(run_folder);
  nlohmann::ordered_json json = parse_json(read_text_file(path), path);
  const JsonFields fields(json, path);
  fields.get<std::string>(key_of(&RunRecord::status));
  fields.object(key_of(&RunRecord::data)).get<std::string>(key_of(&DataRecord::sha256));
  return json;
}

}  // namespace

std::string config_path(const std::string& run_folder) { return run_folder + "/config.toml"; }
std::string record_path(const std::string& run_folder) { return run_folder + "/run.json"; }
std::string metrics_path(const std::string& run_folder) { return run_folder + "/metrics.jsonl"; }

RunRecord read_run_record(const std::string& run_folder) { return fields_from<RunRecord>(record_json(run_folder)); }

RunFiles::RunFiles(const std::string& run_folder) : folder_(run_folder), record_(record_json(run_folder)) {
  record = fields_from<RunRecord>(record_);
  const std::string path = metrics_path(run_folder);
  if (!path_exists(path)) return;
  for (nlohmann::ordered_json& line : read_json_lines(path)) {
    epochs.push_back(fields_from<EpochRecord>(line));
    last_line_ = std::move(line);
  }
}

void RunFiles::require_agreement() const {
  const auto shown = [](const nlohmann::ordered_json& value) {
    return value.is_structured() ? "something else" : printable(value.dump(-1, ' ', true));
  };
  const auto last =
      JsonFields(record_, record_path(folder_)).get<nlohmann::ordered_json>(key_of(&RunRecord::last_epoch));
  for (const auto& [key, value] : last.items()) {
    const auto found = last_line_.find(key);
    if (found != last_line_.end() && *found == value) continue;
    throw DataError(fmt::format(
        "{} contradicts run.json: {} of the last epoch is {} here and {} there; "
        "was one of them edited or copied from another run?",
        metrics_path(folder_), printable(key), found == last_line_.end() ? "absent" : shown(*found), shown(value)));
  }
}

double RunFiles::last(double EpochRecord::*figure) const {
  return JsonFields(last_line_, metrics_path(folder_)).find<double>(key_of(figure)).value_or(kNotSaid);
}

double RunFiles::last_percent(double EpochRecord::*figure) const {
  const std::string path = metrics_path(folder_), key = key_of(figure);
  const double value = JsonFields(last_line_, path).get<double>(key);
  if (!(value >= 0 && value <= 100))
    throw DataError(fmt::format("{}: {} of the last epoch is {}; wanted 0 to 100 percent", path, key, value));
  return value;
}

}  // namespace signstep
