// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl of a folder that is sound otherwise, as `report` reads it.
#include "fuzz/target.h"
#include "signstep/report/noise_scale.h"
#include "signstep/report/run_group.h"

namespace signstep::fuzz {

void read(std::span<const uint8_t> bytes) {
  static const bool once = [] {
    write("run.json", bytes_of(R"({"status":"running","optimizer":"Signum","seed":1,"data":{"sha256":"00"}})"));
    write("config.toml", bytes_of("optimizer = \"signum\"\nseed = 1\n"));
    return true;
  }();
  (void)once;
  write("metrics.jsonl", bytes);
  const RunSummary run = read_run(folder());
  const std::vector<RunGroup> groups = group_runs({run, run}, {});
  for (const RunGroup& group : groups) {
    for (const EpochFigure figure : {&EpochRecord::test_accuracy, &EpochRecord::train_loss}) {
      epoch_curve(group, figure);
      time_curve(group, figure);
      last_values(group, figure);
    }
    step_curve(group, &StepCurve::learning_rate);
    switch_epochs(group);
    noise_scale_curve(group);
  }
  for (size_t i = 0; i < run.epochs.size(); ++i) sign_agreement(run, i);
}

std::vector<std::string> seeds() {
  return {
      R"({"epoch":1,"step":10,"train_loss":2.3,"train_accuracy":10.0,"validation_accuracy":null,"test_accuracy":11.5,)"
      R"("train_seconds":1.5,"curve":{"step":[1,10],"learning_rate":[0.1,0.1],"gamma":[null,0.2]},)"
      R"("events":[{"step":5,"event":"switch","text":"t"}],"probe":{"step":[1,2],"signal":[0.1,0.2],)"
      R"("squared_norm":[1,2],"noise":[0.1,null],"agreement":[0.5,0.6],"density":[0.1,0.1],"seconds":[0.1,0.2]}})"
      "\n{\"epoch\":2,\"step\":20,\"test_accuracy\":12.5}\n"};
}

}  // namespace signstep::fuzz
