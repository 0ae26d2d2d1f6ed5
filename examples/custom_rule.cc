// SPDX-License-Identifier: Apache-2.0
// An update rule from outside the library, AdaBelief (Zhuang et al. 2020, arXiv 2010.07468), in signstep's own trainer:
// a run on made-up images, and the same one stopped and resumed, must end with the same bits (by one thread: LibTorch's
// depend on the number). Takes the flags of `signstep train`, each with a value: custom_rule --beta2 0.99 --epochs 5
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "signstep/engines/torch/torch_engine.h"
#include "signstep/io/config.h"
#include "signstep/io/safetensors.h"
#include "signstep/optim/rules/rules.h"
#include "signstep/optim/step_pieces.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/trainer.h"

using namespace signstep;

//   m = beta1 m + (1 - beta1) g;  s = beta2 s + (1 - beta2) (g - m)^2 + epsilon
//   x = x - lr / (1 - beta1^t) * m / (sqrt(s / (1 - beta2^t)) + epsilon)
struct AdaBelief final : UpdateRule {
  AdaBelief(double rate, double b1, double b2, double e) : peak(rate), beta1(b1), beta2(b2), epsilon(e) {}
  double learning_rate() const override { return peak; }
  std::vector<std::string> buffers() const override { return {"m", "s"}; }
  StepReport step(const RuleStep& run, OptimizerState& state) const override {
    const double t = static_cast<double>(state.step + 1);
    const double rate = run.rate / (1 - std::pow(beta1, t)), correction = 1 - std::pow(beta2, t);
    const std::span<float> m = state.buffer("m"), s = state.buffer("s");
    return step_pieces(run, [&, x = run.values, g = run.gradients](size_t begin, size_t end) {
      uint64_t nonfinite = 0;
      for (size_t i = begin; i < end; ++i) {
        if (!std::isfinite(g[i]) && ++nonfinite > 0) continue;
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        s[i] = beta2 * s[i] + (1 - beta2) * (g[i] - m[i]) * (g[i] - m[i]) + epsilon;
        x[i] -= rate * m[i] / (std::sqrt(s[i] / correction) + epsilon);
      }
      return nonfinite;
    });
  }
  double peak, beta1, beta2, epsilon;
};

struct AdaBeliefOptions final : RuleOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-12;
  void describe(OptionList& list) override {
    list.number("learning_rate", learning_rate, Range::positive(), "per step", "adabelief 1e-3");
    list.number("beta1", beta1, Range::fraction(), "", "adabelief 0.9");
    list.number("beta2", beta2, Range::fraction(), "", "adabelief 0.999");
    list.number("epsilon", epsilon, Range::positive(), "", "adabelief 1e-12");
  }
  std::unique_ptr<UpdateRule> make(const RuleContext&) const override {
    return std::make_unique<AdaBelief>(learning_rate, beta1, beta2, epsilon);
  }
};

std::vector<std::byte> tensors_of(const std::string& run) {
  std::vector<std::byte> all;
  const SafetensorsFile file(find_checkpoint(run));
  for (const TensorEntry& t : file.tensors()) all.insert(all.end(), t.bytes.begin(), t.bytes.end());
  return all;
}

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "custom_rule-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  for (const char* name :
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
    std::ofstream file(folder + "/" + name + ".bin", std::ios::binary);  // CIFAR-10's format: a label, 3072 pixels
    for (int i = 0; i < 60 * 3073; ++i) file.put(static_cast<char>(i % 3073 == 0 ? i / 3073 % 10 : i % 251));
  }
  const auto make = [](const std::string&) { return std::make_unique<AdaBeliefOptions>(); };
  const RuleTable rules = standard_rules().with({.rules = {{"adabelief", "AdaBelief"}}, .options = make});
  TrainOptions options, recorded;
  options.optimizer = recorded.optimizer = OptimizerOptions(rules);
  OptionList list = option_list(options), record = option_list(recorded);
  parse_toml("optimizer = 'adabelief'\nwidth = 4\nbatch = 32\nvalidation = 60\nepochs = 2\nthreads = 1", "here", list);
  list.set("data", folder);
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = std::string(argv[i]).erase(0, 2);
    std::replace(name.begin(), name.end(), '-', '_');
    list.set(name, argv[i + 1]);
  }
  const EngineTable engines = {torch_engine()};
  TrainObserver silent;
  options.output = folder + "/whole";
  train(options, engines, {}, silent);
  options.output = folder + "/parts";
  const auto stop = [steps = 0]() mutable { return ++steps == 5 ? StopReason::kTime : StopReason::kNone; };
  const bool stopped = train(options, engines, {.stop = stop}, silent).stopped == StopReason::kTime;
  read_recorded_toml(options.output + "/config.toml", record);
  train(recorded, engines, {.resume = true}, silent);
  const bool same = tensors_of(folder + "/whole") == tensors_of(folder + "/parts");
  fmt::print("AdaBelief: stopped after 5 steps and resumed: {} bits\n", same ? "the same" : "OTHER");
  std::filesystem::remove_all(folder);
  return same && stopped ? 0 : 1;
}
