// SPDX-License-Identifier: Apache-2.0
// run.json: what a reader needs to trust and repeat a run. Text that is "" and numbers that are 0 or absent are what a
// file does not say.
#pragma once

#include <string>
#include <vector>

#include "signstep/runs/epoch_record.h"

namespace signstep {

struct ProgramRecord {
  std::string version, commit;

  template <class Self, class Visit>
  static void fields(Self& p, Visit&& visit) {
    visit("version", p.version);
    visit("commit", p.commit);
  }
};
ProgramRecord this_program();

struct MachineRecord {
  std::string cpu;
  uint64_t threads = 0;  // that a process may keep busy
  bool avx2 = false, avx512 = false, avx512_bf16 = false, amx_bf16 = false;

  template <class Self, class Visit>
  static void fields(Self& m, Visit&& visit) {
    visit("cpu", m.cpu);
    visit("threads", m.threads);
    visit("avx2", m.avx2);
    visit("avx512", m.avx512);
    visit("avx512_bf16", m.avx512_bf16);
    visit("amx_bf16", m.amx_bf16);
  }
};
MachineRecord this_machine();

struct DataRecord {
  std::string dataset, folder;
  std::string sha256;     // of the images
  bool official = false;  // they are known to be the published ones
  std::optional<uint64_t> train_images, validation_images, test_images;

  template <class Self, class Visit>
  static void fields(Self& d, Visit&& visit) {
    visit("dataset", d.dataset);
    visit("folder", d.folder);
    visit("sha256", d.sha256);
    visit("official", d.official);
    visit("train_images", d.train_images);
    visit("validation_images", d.validation_images);
    visit("test_images", d.test_images);
  }
};

struct NetworkRecord {
  std::string name;
  uint64_t width = 0;
  uint64_t parameters = 0;

  template <class Self, class Visit>
  static void fields(Self& n, Visit&& visit) {
    visit("name", n.name);
    visit("width", n.width);
    visit("parameters", n.parameters);
  }
};

// One process that worked on the run, from `step` on.
struct SessionRecord {
  std::string started;
  uint64_t step = 0;
  ProgramRecord program;
  MachineRecord machine;
  std::string engine;

  template <class Self, class Visit>
  static void fields(Self& s, Visit&& visit) {
    visit("started", s.started);
    visit("step", s.step);
    visit("program", s.program);
    visit("machine", s.machine);
    visit("engine", s.engine);
  }
};

struct RunRecord {
  static constexpr const char *kRunning = "running", *kFinished = "finished", *kStopped = "stopped",
                              *kDiverged = "diverged", *kFailed = "failed";

  uint64_t schema_version = 1;
  std::string status = kRunning;
  std::string started;               // UTC, "2026-01-02T03:04:05Z"
  std::optional<std::string> ended;  // null while the run goes on
  ProgramRecord program;             // program, machine: of the first session
  MachineRecord machine;
  std::string engine;
  DataRecord data;
  NetworkRecord network;
  std::string optimizer;  // as people call it, "Signum"
  std::optional<uint64_t> seed;
  nlohmann::ordered_json options;       // what holds for every session; null in files of version 0.1
  std::vector<SessionRecord> sessions;  // none in files of version 0.1
  std::optional<EpochRecord> last_epoch;

  template <class Self, class Visit>
  static void fields(Self& r, Visit&& visit) {
    visit("schema_version", r.schema_version);
    visit("status", r.status);
    visit("started", r.started);
    visit("ended", r.ended);
    visit("program", r.program);
    visit("machine", r.machine);
    visit("engine", r.engine);
    visit("data", r.data);
    visit("network", r.network);
    visit("optimizer", r.optimizer);
    visit("seed", r.seed);
    visit("options", r.options);
    visit("sessions", r.sessions);
    visit("last_epoch", r.last_epoch);
  }
};

// The session of a record that lists none: that which began the run.
SessionRecord first_session(const RunRecord& record);
// Those that a record lists, or that one.
std::vector<SessionRecord> sessions_of(const RunRecord& record);

}  // namespace signstep
