// SPDX-License-Identifier: Apache-2.0
// A LibTorch training loop with signstep::SignSGD: Signum with dither, then the calibrated switch to SGD, on two
// interleaved spirals. Saved in the middle and loaded into a second model, which ends with the same weights.
#include <torch/torch.h>

#include <iostream>
#include <sstream>

#include "signstep/libtorch/sign_sgd.h"

namespace {

constexpr double kRate = 2e-3;
constexpr int64_t kSteps = 600, kBatch = 64;

torch::nn::Sequential make_model() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(2, 64), torch::nn::Tanh(), torch::nn::Linear(64, 64),
                               torch::nn::Tanh(), torch::nn::Linear(64, 2));
}

signstep::SignSGDOptions options() {
  signstep::SignSGDOptions o(kRate);  // Signum; o.rule has momentum, weight decay, what sign(0) is
  o.dither.dither = signstep::DitherKind::kRelative;
  o.switching.switch_when = signstep::SwitchWhen::kAt;
  o.switching.switch_at = 0.6;
  o.total_steps = kSteps;  // what "0.6 of the run" and the fading of the dither refer to
  return o;
}

// Batch t: points (n, 2) of two spirals and which of the two they lie on. A function of t alone.
std::pair<torch::Tensor, torch::Tensor> batch(int64_t t) {
  torch::manual_seed(100 + static_cast<uint64_t>(t));
  const torch::Tensor label = torch::randint(2, {kBatch}, torch::kLong), radius = torch::rand({kBatch}).sqrt();
  const torch::Tensor angle = 7 * radius + 3.14159 * label;
  return {torch::stack({radius * angle.cos(), radius * angle.sin()}, 1) + 0.02 * torch::randn({kBatch, 2}), label};
}

void train(torch::nn::Sequential& model, signstep::SignSGD& optimizer, int64_t from, int64_t to) {
  for (int64_t t = from; t < to; ++t) {
    const auto [points, labels] = batch(t);
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(model->forward(points), labels).backward();
    // Any scheduler will do, LibTorch's too: after the switch SGD runs at Lambda times this rate.
    optimizer.param_groups()[0].options().set_lr(kRate * (1 - static_cast<double>(t) / kSteps));
    optimizer.step();
    if (const auto& event = optimizer.report().switching.event) std::cout << event->text() << '\n';
  }
}

double accuracy(torch::nn::Sequential& model) {
  const torch::NoGradGuard no_grad;
  double correct = 0;
  for (int64_t t = 0; t < 20; ++t) {
    const auto [points, labels] = batch(kSteps + t);
    correct += model->forward(points).argmax(1).eq(labels).to(torch::kFloat).mean().item<double>();
  }
  return correct / 20;
}

}  // namespace

int main() {
  torch::nn::Sequential model = make_model(), resumed = make_model();
  signstep::SignSGD optimizer(model->parameters(), options());
  train(model, optimizer, 0, kSteps / 2);

  std::stringstream weights, state;  // or file names
  torch::save(model, weights);
  torch::save(optimizer, state);
  train(model, optimizer, kSteps / 2, kSteps);
  std::cout << "accuracy " << accuracy(model) << '\n';

  torch::load(resumed, weights);
  signstep::SignSGD second(resumed->parameters(), options());
  torch::load(second, state);
  train(resumed, second, kSteps / 2, kSteps);
  bool same = true;
  for (size_t i = 0; i < model->parameters().size(); ++i)
    same &= resumed->parameters()[i].equal(model->parameters()[i]);
  std::cout << "the resumed run ends with " << (same ? "the same" : "OTHER") << " weights\n";
  return same && accuracy(model) > 0.9 ? 0 : 1;
}
