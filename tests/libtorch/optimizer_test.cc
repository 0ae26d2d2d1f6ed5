// SPDX-License-Identifier: Apache-2.0
// The rules of optim/ beside torch::optim on the same gradients.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "signstep/optim/optimizer.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr size_t kElements = 1000;
constexpr int kSteps = 100;

// A noisy quadratic: gradients that keep their size, change sign and depend on where x is.
void fill_gradient(std::span<const float> x, std::span<float> g, uint64_t step) {
  SequentialRandom random(Stream(9, Purpose::kProblem, step));
  for (size_t i = 0; i < x.size(); ++i) g[i] = 0.5f * x[i] + static_cast<float>(random.normal());
}

// Largest relative distance after 100 steps; both sides see the gradients at our x.
double distance(const OptimizerOptions& options,
                const std::function<std::unique_ptr<torch::optim::Optimizer>(torch::Tensor)>& make) {
  std::vector<float> x(kElements), g(kElements);
  SequentialRandom random(Stream(8, Purpose::kProblem));
  for (float& value : x) value = static_cast<float>(random.normal());
  torch::Tensor theirs = torch::from_blob(x.data(), {static_cast<int64_t>(kElements)}).clone().requires_grad_(true);
  const auto optimizer = make(theirs);
  const auto rule = make_rule(options);
  OptimizerState state = make_state(*rule, kElements, 2);
  const std::vector<TensorSlot> slots{{0, 300}, {300, kElements - 300}};
  ThreadPool pool(2);
  for (int step = 0; step < kSteps; ++step) {
    fill_gradient(x, g, static_cast<uint64_t>(step));
    theirs.mutable_grad() = torch::from_blob(g.data(), {static_cast<int64_t>(kElements)}).clone();
    optimizer->step();
    optimizer_step(*rule, state, slots, x, g, 1.0, pool);
  }
  const torch::Tensor ours = torch::from_blob(x.data(), {static_cast<int64_t>(kElements)});
  return ((ours - theirs.detach()).abs().max() / theirs.detach().abs().max()).item<double>();
}

TEST(AgainstTorch, SgdHeavyBallAndNesterov) {
  for (const bool nesterov : {false, true}) {
    for (const double momentum : {0.0, 0.9}) {
      if (nesterov && momentum == 0) continue;
      const auto make = [&](torch::Tensor t) -> std::unique_ptr<torch::optim::Optimizer> {
        return std::make_unique<torch::optim::SGD>(
            std::vector<torch::Tensor>{t},
            torch::optim::SGDOptions(0.05).momentum(momentum).weight_decay(5e-4).nesterov(nesterov));
      };
      const OptimizerOptions ours("sgd", {{"learning_rate", "0.05"},
                                          {"momentum", std::to_string(momentum)},
                                          {"l2_penalty", "5e-4"},
                                          {"nesterov", nesterov ? "true" : "false"}});
      EXPECT_LE(distance(ours, make), 1e-6) << momentum << nesterov;
    }
  }
}

TEST(AgainstTorch, Adam) {
  const auto make = [](torch::Tensor t) -> std::unique_ptr<torch::optim::Optimizer> {
    return std::make_unique<torch::optim::Adam>(std::vector<torch::Tensor>{t},
                                                torch::optim::AdamOptions(1e-2).weight_decay(1e-3));
  };
  EXPECT_LE(distance(OptimizerOptions("adam", {{"learning_rate", "1e-2"}, {"l2_penalty", "1e-3"}}), make), 1e-6);
}

TEST(AgainstTorch, AdamW) {
  const auto make = [](torch::Tensor t) -> std::unique_ptr<torch::optim::Optimizer> {
    return std::make_unique<torch::optim::AdamW>(std::vector<torch::Tensor>{t},
                                                 torch::optim::AdamWOptions(1e-2).weight_decay(0.05));
  };
  EXPECT_LE(distance(OptimizerOptions("adamw", {{"learning_rate", "1e-2"}, {"decoupled_weight_decay", "0.05"}}), make),
            1e-6);
}

}  // namespace
}  // namespace signstep
