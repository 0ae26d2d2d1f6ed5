// SPDX-License-Identifier: Apache-2.0
// run.json and confusion.json of a folder that is sound otherwise, as `report` reads them.
#include "fuzz/target.h"
#include "signstep/base/error.h"
#include "signstep/report/run_group.h"
#include "signstep/runs/confusion.h"

namespace signstep::fuzz {

void read(std::span<const uint8_t> bytes) {
  static const bool once = [] {
    write("metrics.jsonl", bytes_of("{\"epoch\":1,\"step\":3,\"test_accuracy\":50.0}\n"));
    write("config.toml", bytes_of("optimizer = \"signum\"\nseed = 1\n"));
    return true;
  }();
  (void)once;
  write("confusion.json", bytes);
  try {
    if (const auto confusion = read_confusion(folder())) {
      for (size_t k = 0; k < confusion->classes.size(); ++k) confusion->precision(k);
      confusion->worst(20);
    }
  } catch (const Error&) {
  }
  write("run.json", bytes);
  const RunSummary run = read_run(folder());
  method_name(run);
  for (const std::string& text : {run.record.data.sha256, run.record.data.dataset, run.record.started}) shown(text);
  shown(run.record.machine);
  shown(run.record.program);
  fields_json(run.record);
  group_runs({run, run}, {});
}

std::vector<std::string> seeds() {
  return {R"({"schema_version":1,"status":"finished","started":"2026-01-02T03:04:05Z","ended":null,
"program":{"version":"0.1.0","commit":"abc"},"machine":{"cpu":"x","threads":2},"engine":"torch","data":{"dataset":"cifar10",
"folder":"data","sha256":"00","official":true},"network":{"name":"ResNet-18","width":4},"optimizer":"Signum","seed":1,
"last_epoch":{"epoch":1}})",
          R"({"checkpoint":"step-00000003.safetensors","classes":["cat","dog"],"counts":[[3,1],[0,4]]})"};
}

}  // namespace signstep::fuzz
