// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/event_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>

#include "signstep/export/crc32c.h"
#include "signstep/export/protobuf.h"
#include "signstep/export/run_tables.h"

namespace signstep {
namespace {

using namespace protobuf;

uint32_t masked_crc(const std::string& bytes) {
  const uint32_t crc = crc32c(bytes);
  return std::rotr(crc, 15) + 0xa282ead8u;
}

std::string record(const std::string& event) {
  std::string out;
  fixed(out, event.size(), 8);
  fixed(out, masked_crc(out), 4);
  out += event;
  fixed(out, masked_crc(event), 4);
  return out;
}

// Event: 1 wall_time, 2 step, 3 file_version, 5 summary, 7 session_log. Summary: 1 value. Value: 1 tag,
// 2 simple_value. SessionLog: 1 status.
std::string scalars(double seconds, uint64_t step, const std::vector<std::pair<std::string, float>>& values) {
  std::string summary;
  for (const auto& [tag, number] : values) {
    std::string value;
    bytes(value, 1, tag);
    real32(value, 2, number);
    bytes(summary, 1, value);
  }
  std::string event;
  real64(event, 1, seconds);
  integer(event, 2, step);
  bytes(event, 5, summary);
  return record(event);
}

// Seconds of training at a step of that epoch.
double trained_at(double step, const EpochRecord& epoch, const EpochRecord& previous) {
  const double before = std::isfinite(previous.train_seconds) ? previous.train_seconds : 0;
  const double after = std::isfinite(epoch.train_seconds) ? epoch.train_seconds : before;
  const double first = static_cast<double>(previous.step), steps = static_cast<double>(epoch.step) - first;
  return steps > 0 ? before + (after - before) * std::clamp((step - first) / steps, 0.0, 1.0) : after;
}

}  // namespace

std::string event_header(double seconds) {
  std::string event;
  real64(event, 1, seconds);
  bytes(event, 3, "brain.Event:2");
  return record(event);
}

std::string event_restart(double seconds, uint64_t step) {
  std::string log, event;
  integer(log, 1, 1);  // START
  real64(event, 1, seconds);
  integer(event, 2, step);
  bytes(event, 7, log);
  return record(event);
}

std::string event_records(const EpochRecord& epoch, const EpochRecord& previous, double start_seconds) {
  std::string out;
  std::vector<RunTable> tables = run_tables({epoch});
  std::rotate(tables.begin(), tables.begin() + 1, tables.end());  // the epoch's own figures come last, as they did
  for (const RunTable& table : tables) {
    const auto step_column = std::find(table.columns.begin(), table.columns.end(), "step");
    for (const auto& row : table.rows) {
      const auto& step = row[static_cast<size_t>(step_column - table.columns.begin())];
      std::vector<std::pair<std::string, float>> values;
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string& name = table.columns[i];
        if (row[i].is_number() && name != "step" && name != "epoch")
          values.emplace_back(table.name + "/" + name, static_cast<float>(row[i].get<double>()));
      }
      if (values.empty()) continue;
      const double seconds = start_seconds + trained_at(step.get<double>(), epoch, previous);
      out += scalars(seconds, step.get<uint64_t>(), values);
    }
  }
  return out;
}

std::string event_log(const RunFiles& run, bool restart) {
  const double start = seconds_of(run.record.started);
  std::string text = event_header(start);
  if (restart) text += event_restart(start, 0);
  EpochRecord previous;
  for (const EpochRecord& epoch : run.epochs) {
    text += event_records(epoch, previous, start);
    previous = epoch;
  }
  return text;
}

double seconds_of(const std::string& utc) {
  std::tm time{};
  const char* end = ::strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time);
  return end != nullptr && *end == '\0' ? static_cast<double>(::timegm(&time)) : 0;
}

}  // namespace signstep
