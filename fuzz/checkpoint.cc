// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/checkpoint.h"

#include "fuzz/target.h"
#include "signstep/io/safetensors.h"
#include "signstep/optim/optimizer.h"
#include "signstep/optim/sign_optimizer.h"
#include "tests/train/still_engine.h"

namespace signstep::fuzz {
namespace {

struct Run {
  UpdatePlan plan = plan_of_a_switch();
  Learner learner{std::make_unique<StillEngine>(), make_sign_rule(plan)};
  std::string path = folder() + "/step-00000001.safetensors";

  static UpdatePlan plan_of_a_switch() {
    SwitchOptions switching;
    switching.switch_when = SwitchWhen::kAt;
    return make_update_plan({.optimizer = SignKind::kSignum}, {}, switching, 1, 100);
  }
};

Run& run() {
  static Run one;
  return one;
}

std::string good_state() {
  Run& r = run();
  save_checkpoint(r.path, r.learner, {}, {.options = {{"epochs", 2}}, .data_sha256 = "ab"});
  return SafetensorsFile(r.path).metadata().at("signstep.state");
}

}  // namespace

// The bytes are the JSON of the state, in a checkpoint that is sound otherwise.
void read(std::span<const uint8_t> bytes) {
  Run& r = run();
  static const std::string good = good_state();
  static const SafetensorsFile file(r.path);
  Metadata metadata = file.metadata();
  metadata["signstep.state"] = text_of(bytes);
  const std::string path = folder() + "/step-00000002.safetensors";
  write_safetensors(path, file.tensors(), metadata);
  TrainProgress progress;
  const Checkpoint checkpoint(path);
  checkpoint.identity();
  const OptimizerState fresh = r.learner.state();
  checkpoint.restore(r.learner, progress);
  phase_rates(r.plan.switching, std::any_cast<SignState&>(r.learner.state().extra).switching, 0.1);
  r.learner.state() = fresh;
}

std::vector<std::string> seeds() { return {good_state()}; }

}  // namespace signstep::fuzz
