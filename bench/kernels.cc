// SPDX-License-Identifier: Apache-2.0
// Speed of the step kernels beside a kernel that only moves the same bytes, on the tensors of a ResNet-18 and on one
// tensor of 100 million elements. Each rule is checked against its scalar reference before it is timed.
//
//   bench_kernels --benchmark_min_time=0.1 --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//
// The last lines are medians over the repetitions: time, GB/s, the share of the bandwidth kernel's speed with the same
// reads and writes, and for dithered rules the factor over the undithered one. Flags of our own: --simd=AVX2 (or SSE4,
// ...) for a lesser target, --threads=N (default: all), --clock=cpu for the time of the one thread of --threads=1
// instead of elapsed time: on a machine that others use, it leaves out the time they had the processor.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/bandwidth.h"
#include "bench/collector.h"
#include "bench/model.h"
#include "bench/simd_flag.h"
#include "signstep/base/cpu.h"
#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/parallel/thread_pool.h"

namespace signstep {
namespace {

struct Rule {
  std::string name;
  std::string beside;  // the undithered rule to compare with, or empty
  SignStep sign;
  float sigma = 0;
  float sgd_rate = 0;
  bool state = false;
  bool is_sgd = false;
  bool is_bandwidth = false;
};

void run(const Rule& rule, std::span<const StepTensor> tensors, std::span<StepStatistics> statistics,
         Executor& executor) {
  if (rule.is_bandwidth) return bandwidth_step(tensors, executor);
  if (!rule.is_sgd) return sign_step(tensors, rule.sign, statistics, executor);
  SgdPhaseStep step;
  step.mu = rule.sign.b1;
  step.decay_factor = rule.sign.decay_factor;
  step.products = rule.sign.sums == StepSums::kAll;
  sgd_phase_step(tensors, step, statistics, executor);
}

std::string bandwidth_name(bool state) { return state ? "bandwidth m += g, x += m" : "bandwidth x += g"; }

std::vector<Rule> rules() {
  std::vector<Rule> list;
  for (const bool state : {false, true}) {
    Rule base;
    base.state = state;
    base.sign.b1 = base.sign.b2 = state ? 0.9f : 0.0f;
    base.sign.lr = 1e-3f;
    base.sign.decay_factor = 1 - 1e-6f;
    base.name = bandwidth_name(state);
    base.is_bandwidth = true;
    list.push_back(base);

    base.is_bandwidth = false;
    const std::string family = base.name = state ? "Signum" : "SignSGD";
    list.push_back(base);
    const auto add = [&](const std::string& suffix, const std::string& beside, auto&& change) {
      Rule rule = base;
      rule.name = family + suffix;
      rule.beside = beside;
      change(rule);
      list.push_back(rule);
    };
    add(", statistics", "", [](Rule& r) { r.sign.sums = StepSums::kAll; });
    add(", dither on update", family, [](Rule& r) { r.sigma = 1; });
    add(", dither on update, relative", family, [](Rule& r) {
      r.sigma = 1;
      r.sign.sums = StepSums::kSquare;
    });
    add(", dither on update, statistics", family + ", statistics", [](Rule& r) {
      r.sigma = 1;
      r.sign.sums = StepSums::kAll;
    });
    if (state) {
      add(", dither on gradient", family, [](Rule& r) {
        r.sigma = 1;
        r.sign.dither_on = DitherOn::kGradient;
      });
    }
    add(", dither post", family, [](Rule& r) {
      r.sigma = 1;
      r.sign.dither_on = DitherOn::kPost;
    });
    add(", zero random", "", [](Rule& r) { r.sign.zero = ZeroPolicy::kRandom; });
    if (state) {
      add(" blended with SGD", family, [](Rule& r) { r.sgd_rate = 1e-4f; });
      base.sgd_rate = 1e-4f;
      base.is_sgd = true;
      base.name = "SGD phase";
      list.push_back(base);
      base.name = "SGD phase, statistics";
      base.sign.sums = StepSums::kAll;
      list.push_back(base);
    }
  }
  return list;
}

// Whether the kernel's x, m and sums have the bits of the reference after one step on small tensors.
bool verified(const Rule& rule, Executor& executor) {
  if (rule.is_bandwidth) return true;
  Model actual({3 * 4096 + 21, 1000, 7}), expected = actual;
  std::vector<StepStatistics> got(3), want(3);
  run(rule, actual.tensors(rule.sigma, rule.sgd_rate, rule.state), got, executor);
  const std::vector<StepTensor> tensors = expected.tensors(rule.sigma, rule.sgd_rate, rule.state);
  if (rule.is_sgd) {
    SgdPhaseStep step;
    step.mu = rule.sign.b1;
    step.decay_factor = rule.sign.decay_factor;
    step.products = rule.sign.sums == StepSums::kAll;
    sgd_phase_step_ref(tensors, step, want);
  } else {
    sign_step_ref(tensors, rule.sign, want);
  }
  return std::memcmp(actual.x.data(), expected.x.data(), 4 * actual.elements) == 0 &&
         std::memcmp(actual.m.data(), expected.m.data(), 4 * actual.elements) == 0 &&
         std::memcmp(got.data(), want.data(), got.size() * sizeof(StepStatistics)) == 0;
}

void summarize(const Collector& collector, const std::string& set, size_t elements) {
  const auto find = [&](const std::string& name) { return collector.find(set + "/" + name); };
  fmt::print("\n{}, {} elements, target {}\n{:<38}{:>10}{:>22}{:>8}{:>13}{:>13}\n", set, elements, simd_target(),
             "rule", "ms", "ms, min to max", "GB/s", "/ bandwidth", "x undithered");
  for (const Rule& rule : rules()) {
    const std::vector<double> times = find(rule.name);
    if (times.empty()) continue;
    const double t = median(times), bytes = static_cast<double>(elements) * (rule.state ? 20 : 12);
    const double bandwidth = median(find(bandwidth_name(rule.state))), beside = median(find(rule.beside));
    const auto [low, high] = std::minmax_element(times.begin(), times.end());
    fmt::print("{:<38}{:>10.3f}{:>22}{:>8.1f}{:>13}{:>13}\n", rule.name, 1e3 * t,
               fmt::format("{:.3f} to {:.3f}", 1e3 * *low, 1e3 * *high), bytes / t * 1e-9,
               bandwidth > 0 ? fmt::format("{:.2f}", bandwidth / t) : "",
               beside > 0 && !rule.beside.empty() ? fmt::format("{:.2f}", t / beside) : "");
  }
}

int bench_main(int argc, char** argv) {
  const std::string threads_flag = take_flag(argc, argv, "--threads"), clock = take_flag(argc, argv, "--clock");
  if (!choose_simd(argc, argv)) return 2;
  if (wrong_clock(clock, threads_flag)) return 2;
  ThreadPool pool(threads_flag.empty() ? cpu_features().threads : std::stoul(threads_flag));
  fmt::print("{}, {} threads, {} time, target {}\n", cpu_features().model, pool.threads(),
             clock.empty() ? "elapsed" : "thread", simd_target());

  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  std::map<std::string, std::unique_ptr<Model>> models;
  const std::map<std::string, std::vector<size_t>> sets = {{"resnet18", resnet18_sizes()}, {"100M", {100'000'000}}};
  for (const auto& [set, sizes] : sets) {
    for (const Rule& rule : rules()) {
      benchmark::RegisterBenchmark((set + "/" + rule.name).c_str(),
                                   [&, set = set, sizes = sizes, rule](benchmark::State& state) {
                                     if (!verified(rule, pool))
                                       return state.SkipWithError("differs from the reference");
                                     std::unique_ptr<Model>& model = models[set];
                                     if (!model) model = std::make_unique<Model>(sizes);
                                     model->m = model->g;  // what the average of a constant gradient tends to
                                     const std::vector<StepTensor> tensors =
                                         model->tensors(rule.sigma, rule.sgd_rate, rule.state);
                                     std::vector<StepStatistics> statistics(tensors.size());
                                     Rule now = rule;
                                     for (auto _ : state) {
                                       ++now.sign.step;
                                       run(now, tensors, statistics, pool);
                                     }
                                     state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * model->elements *
                                                                                  (rule.state ? 20 : 12)));
                                   })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  Collector collector;
  collector.cpu_clock = !clock.empty();
  benchmark::RunSpecifiedBenchmarks(&collector);
  for (const auto& [set, sizes] : sets) {
    size_t elements = 0;
    for (const size_t n : sizes) elements += n;
    summarize(collector, set, elements);
  }
  return 0;
}

}  // namespace
}  // namespace signstep

int main(int argc, char** argv) { return signstep::bench_main(argc, argv); }
