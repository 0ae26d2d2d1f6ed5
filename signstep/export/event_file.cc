// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/event_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>

#include "signstep/export/crc32c.h"
#include "signstep/export/run_tables.h"

namespace signstep {
namespace {

void fixed(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i & 0xff));
}

// Protocol buffers: numbers of 7 bits a byte, low ones first; a field is its number and wire type, then its value.
void varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}
enum Wire : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
void key(std::string& out, uint64_t number, Wire wire) { varint(out, number << 3 | wire); }
void field(std::string& out, uint64_t number, uint64_t value) {
  key(out, number, kVarint);
  varint(out, value);
}
void field(std::string& out, uint64_t number, double value) {
  key(out, number, kFixed64);
  fixed(out, std::bit_cast<uint64_t>(value), 8);
}
void field(std::string& out, uint64_t number, float value) {
  key(out, number, kFixed32);
  fixed(out, std::bit_cast<uint32_t>(value), 4);
}
void field(std::string& out, uint64_t number, const std::string& value) {
  key(out, number, kBytes);
  varint(out, value.size());
  out += value;
}

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
    field(value, 1, tag);
    field(value, 2, number);
    field(summary, 1, value);
  }
  std::string event;
  field(event, 1, seconds);
  field(event, 2, step);
  field(event, 5, summary);
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
  field(event, 1, seconds);
  field(event, 3, std::string("brain.Event:2"));
  return record(event);
}

std::string event_restart(double seconds, uint64_t step) {
  std::string log, event;
  field(log, 1, uint64_t{1});  // START
  field(event, 1, seconds);
  field(event, 2, step);
  field(event, 7, log);
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
