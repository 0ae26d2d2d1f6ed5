// SPDX-License-Identifier: Apache-2.0
// One optimizer step on the 62 tensors of a ResNet-18, beside LibTorch: its SGD and Adam, Signum and dithered Signum as
// one would write them in tensor operations, and ours, as spans and through signstep::SignSGD. Signum has its default
// decay, LibTorch's have none. All sides step the same weights with the same gradients on LibTorch's threads; before
// anything is timed ours are held against the tensor operations: value by value, those with dither by how many
// coordinates step along the sign that none would have.
//
//   bench_optimizers --benchmark_min_time=0.2 --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//
// The last lines are medians over the repetitions, and how many times faster ours are than LibTorch's SGD and than the
// same rule in tensor operations. --threads=N (default: all) and --clock=cpu as for bench_kernels.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "bench/collector.h"
#include "bench/model.h"
#include "signstep/base/cpu.h"
#include "signstep/libtorch/sign_sgd.h"
#include "signstep/libtorch/torch_executor.h"

namespace signstep {
namespace {

constexpr double kRate = 1e-6, kMomentum = 0.9, kDecay = 0.05,
                 kSigma = 0.3;  // a small rate: the weights hardly move over a run

const char* const kTorchSgd = "LibTorch SGD, momentum";
const char* const kSignumOps = "Signum, tensor operations";
const char* const kDitherOps = "Signum, dither, tensor operations";
const char* const kRelativeOps = "Signum, relative dither, tensor operations";

struct Side {
  std::string name;
  std::string beside;  // the same rule in tensor operations, or empty
  std::function<std::function<void()>(const std::vector<at::Tensor>&)> make;  // a step on these parameters
};

// m = b m + (1 - b) g; x = k x - rate sign(m + sigma xi), sigma in units of m's rms where it is relative, written as a
// user of LibTorch would.
struct TensorOperations {
  std::vector<at::Tensor> parameters, m;
  double momentum, sigma;
  bool relative;
  TensorOperations(const std::vector<at::Tensor>& p, double b, double s, bool r)
      : parameters(p), momentum(b), sigma(s), relative(r) {
    for (const at::Tensor& t : p) m.push_back(torch::zeros_like(t, t.options().requires_grad(false)));
  }
  void step() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < m.size(); ++i) {
      m[i].mul_(momentum).add_(parameters[i].grad(), 1 - momentum);
      at::Tensor u = m[i];
      if (relative)
        u = u + sigma * u.square().mean().sqrt() * torch::randn_like(u);
      else if (sigma > 0)
        u = u.add(torch::randn_like(u), sigma);
      parameters[i].mul_(1 - kRate * kDecay).add_(u.sign(), -kRate);
    }
  }
};

SignSGDOptions options(OptimizerKind kind, DitherKind dither = DitherKind::kNone) {
  SignSGDOptions o(kRate);
  o.rule.optimizer = kind;
  o.rule.decoupled_weight_decay = kDecay;
  o.dither.dither = dither;
  if (dither != DitherKind::kNone) {
    o.dither.dither_level = dither == DitherKind::kAbsolute ? kSigma : 1.0;
    o.dither.dither_shape = DitherShape::kConstant;
  }
  return o;
}

template <class Optimizer>
std::function<void()> stepping(std::shared_ptr<Optimizer> optimizer) {
  return [optimizer] { optimizer->step(); };
}

Side through_adapter(std::string name, std::string beside, const SignSGDOptions& o) {
  return {std::move(name), std::move(beside), [o](const auto& p) { return stepping(std::make_shared<SignSGD>(p, o)); }};
}

// The kernels on the tensors' own memory, without the adapter.
Side through_spans(std::string name, std::string beside, bool momentum, float sigma) {
  return {std::move(name), std::move(beside), [=](const std::vector<at::Tensor>& parameters) -> std::function<void()> {
            struct State {
              std::vector<at::Tensor> m;
              std::vector<StepTensor> tensors;
              std::vector<StepStatistics> statistics;
              SignStep step;
              TorchExecutor threads;
            };
            const auto s = std::make_shared<State>();
            for (const at::Tensor& p : parameters) {
              StepTensor t;
              t.x = p.data_ptr<float>();
              t.g = p.grad().data_ptr<float>();
              if (momentum) t.m = s->m.emplace_back(torch::zeros({p.numel()})).data_ptr<float>();
              t.n = static_cast<size_t>(p.numel());
              t.index = static_cast<uint32_t>(s->tensors.size());
              t.sigma = sigma;
              s->tensors.push_back(t);
            }
            s->statistics.resize(s->tensors.size());
            s->step.b1 = s->step.b2 = momentum ? static_cast<float>(kMomentum) : 0;
            s->step.lr = static_cast<float>(kRate);
            s->step.decay_factor = static_cast<float>(1 - kRate * kDecay);
            return [s] {
              sign_step(s->tensors, s->step, s->statistics, s->threads);
              ++s->step.step;
            };
          }};
}

std::vector<Side> sides() {
  using enum OptimizerKind;
  const auto sgd = [](const auto& p) {
    return stepping(std::make_shared<torch::optim::SGD>(p, torch::optim::SGDOptions(kRate).momentum(kMomentum)));
  };
  const auto adam = [](const auto& p) {
    return stepping(std::make_shared<torch::optim::Adam>(p, torch::optim::AdamOptions(kRate)));
  };
  const auto operations = [](double sigma, bool relative = false) {
    return [=](const auto& p) { return stepping(std::make_shared<TensorOperations>(p, kMomentum, sigma, relative)); };
  };
  return {{kTorchSgd, "", sgd},
          {"LibTorch Adam", "", adam},
          {kSignumOps, "", operations(0)},
          {kDitherOps, "", operations(kSigma)},
          {kRelativeOps, "", operations(1, /*relative=*/true)},
          through_adapter("signstep::SignSGD, SignSGD", "", options(kSignSgd)),
          through_adapter("signstep::SignSGD, Signum", kSignumOps, options(kSignum)),
          through_adapter("signstep::SignSGD, Signum, dither", kDitherOps, options(kSignum, DitherKind::kAbsolute)),
          through_adapter("signstep::SignSGD, Signum, relative dither", kRelativeOps,
                          options(kSignum, DitherKind::kRelative)),
          through_spans("spans, SignSGD", "", false, 0),
          through_spans("spans, Signum", kSignumOps, true, 0),
          through_spans("spans, Signum, dither", kDitherOps, true, static_cast<float>(kSigma))};
}

// ResNet-18's parameters as flat tensors of their sizes, with gradients.
std::vector<at::Tensor> make_parameters(const std::vector<size_t>& sizes) {
  torch::manual_seed(1);
  std::vector<at::Tensor> out;
  for (const size_t n : sizes) {
    out.push_back(torch::randn({static_cast<int64_t>(n)}).requires_grad_(true));
    out.back().mutable_grad() = torch::randn({static_cast<int64_t>(n)});
  }
  return out;
}

// How many coordinates step otherwise in two sides over three steps of new gradients, a share of all, after so many
// uncounted ones; 1 where a tensor of the first does not move.
double different(const Side& side, const Side& other, int uncounted = 0) {
  const std::vector<size_t> sizes = {100'000, 4097, 7};
  std::vector<at::Tensor> ours = make_parameters(sizes), theirs = make_parameters(sizes);
  const std::function<void()> step = side.make(ours), wanted = other.make(theirs);
  int64_t apart = 0, all = 0;
  for (int t = 0; t < uncounted + 3; ++t) {
    std::vector<at::Tensor> before;
    for (size_t i = 0; i < sizes.size(); ++i) {
      ours[i].mutable_grad().copy_(torch::randn_like(ours[i]));
      theirs[i].mutable_grad().copy_(ours[i].grad());
      theirs[i].detach().copy_(ours[i].detach());  // what a step differs in is counted once
      before.push_back(ours[i].detach().clone());
    }
    step();
    wanted();
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (ours[i].detach().eq(before[i]).all().item<bool>()) return 1;
      if (t < uncounted) continue;
      apart += ours[i].detach().ne(theirs[i].detach()).sum().item<int64_t>();
      all += ours[i].numel();
    }
  }
  return static_cast<double>(apart) / static_cast<double>(all);
}

// Without dither to the value: the operations round m elsewhere, so an m next to 0 may differ in sign, one in 10^5 at
// most. With dither as many coordinates as the operations' dither turns, within five standard deviations of a share of
// 0.3 of 312,312; after the 30 steps in which our relative one has found its scale, which is of the steps before.
bool verified(const Side& side, const std::vector<Side>& list) {
  const auto named = [&](const std::string& name) -> const Side& {
    return *std::find_if(list.begin(), list.end(), [&](const Side& s) { return s.name == name; });
  };
  const Side sign{"", "", [](const auto& p) { return stepping(std::make_shared<TensorOperations>(p, 0, 0, false)); }};
  const Side& plain = named(kSignumOps);
  if (side.beside.empty()) return different(side, sign) <= 1e-5;
  if (side.beside == kSignumOps) return different(side, plain) <= 1e-5;
  const double turned = different(side, plain, 30), wanted = different(named(side.beside), plain, 30);
  if (std::abs(turned - wanted) <= 5 * std::sqrt(2 * 0.21 / 312'312)) return true;
  fmt::print(stderr, "{} turns {:.4f} of the signs, {} {:.4f}\n", side.name, turned, side.beside, wanted);
  return false;
}

void summarize(const Collector& collector, const std::vector<Side>& list) {
  const double sgd = median(collector.find(kTorchSgd));
  fmt::print("\n{:<46}{:>10}{:>22}{:>16}{:>20}\n", "11.2 million parameters in 62 tensors", "ms", "ms, min to max",
             "x LibTorch SGD", "x tensor operations");
  for (const Side& side : list) {
    const std::vector<double> times = collector.find(side.name);
    if (times.empty()) continue;
    const double t = median(times), beside = median(collector.find(side.beside));
    const auto [low, high] = std::minmax_element(times.begin(), times.end());
    fmt::print("{:<46}{:>10.3f}{:>22}{:>16}{:>20}\n", side.name, 1e3 * t,
               fmt::format("{:.3f} to {:.3f}", 1e3 * *low, 1e3 * *high), fmt::format("{:.2f}", sgd / t),
               !side.beside.empty() && beside > 0 ? fmt::format("{:.2f}", beside / t) : "");
  }
}

int bench_main(int argc, char** argv) {
  const std::string threads = take_flag(argc, argv, "--threads"), clock = take_flag(argc, argv, "--clock");
  if (wrong_clock(clock, threads)) return 2;
  at::set_num_threads(threads.empty() ? static_cast<int>(cpu_features().threads) : std::stoi(threads));
  fmt::print("{}, LibTorch {}, {} threads, {} time, target {}\n", cpu_features().model, TORCH_VERSION,
             at::get_num_threads(), clock.empty() ? "elapsed" : "thread", simd_target());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;

  const std::vector<Side> list = sides();
  for (const Side& side : list) {
    const bool ours = side.name.starts_with("signstep") || side.name.starts_with("spans");
    if (!ours || verified(side, list)) continue;
    fmt::print(stderr, "{} does not step as the tensor operations do\n", side.name);
    return 1;
  }
  const std::vector<at::Tensor> parameters = make_parameters(resnet18_sizes());
  std::vector<std::function<void()>> steps;
  for (const Side& side : list) steps.push_back(side.make(parameters));
  for (size_t i = 0; i < list.size(); ++i) {
    benchmark::RegisterBenchmark(list[i].name.c_str(),
                                 [&, i](benchmark::State& state) {
                                   steps[i]();  // buffers exist, caches are this side's
                                   for (auto _ : state) steps[i]();
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  Collector collector;
  collector.cpu_clock = !clock.empty();
  benchmark::RunSpecifiedBenchmarks(&collector);
  summarize(collector, list);
  return 0;
}

}  // namespace
}  // namespace signstep

int main(int argc, char** argv) { return signstep::bench_main(argc, argv); }
