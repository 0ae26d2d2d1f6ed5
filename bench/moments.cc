// SPDX-License-Identifier: Apache-2.0
// Speed of CoordinateMoments::add beside a kernel that only moves the same bytes (68 a coordinate: the draw read, four
// doubles read and written), on the coordinates of a ResNet-18 and on more than any cache holds. Checked against the
// scalar reference before it is timed.
//
//   bench_moments --benchmark_min_time=0.2 --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//
// The last lines are medians over the repetitions, with the share of the bandwidth kernel's speed. --threads=N
// (default: all).
#include "signstep/theory/moments.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/collector.h"
#include "signstep/base/cpu.h"
#include "signstep/kernels/sign_kernel.h"
#include "signstep/parallel/pieces.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr double kBytes = sizeof(float) + 8 * sizeof(double);
constexpr size_t kResNet18 = 11'173'962, kLarge = 30'000'000;

std::vector<float> values(size_t n, uint64_t seed) {
  std::vector<float> x(n);
  SequentialRandom random(Stream(seed, Purpose::kProblem));
  for (float& v : x) v = static_cast<float>(random.next()) * 0x1p-31f - 1;
  return x;
}

bool verified(Executor& executor) {
  std::vector<std::vector<float>> draws;
  for (uint64_t k = 1; k <= 20; ++k) draws.push_back(values(1003, k));
  CoordinateMoments m(1003);
  for (const auto& draw : draws) m.add(draw, executor);
  const std::vector<Moments> expected = moments_ref(draws);
  for (size_t i = 0; i < expected.size(); ++i) {
    const Moments a = m.at(i), &b = expected[i];
    if (a.mean != b.mean || a.m2 != b.m2 || a.m3 != b.m3 || a.m4 != b.m4) return false;
  }
  return true;
}

// Four arrays of doubles, each read and written with one addition.
struct Bandwidth {
  std::vector<double> a, b, c, d;
  explicit Bandwidth(size_t n) : a(n), b(n), c(n), d(n) {}
  void add(const std::vector<float>& x, Executor& executor) {
    for_each_piece(x.size(), executor, [&](size_t begin, size_t end) {
      const float* __restrict in = x.data();
      double* __restrict p = a.data(), * __restrict q = b.data(), * __restrict r = c.data(), * __restrict s = d.data();
      for (size_t i = begin; i < end; ++i) {
        const double v = in[i];
        p[i] += v;
        q[i] += v;
        r[i] += v;
        s[i] += v;
      }
    });
  }
};

int bench_main(int argc, char** argv) {
  size_t threads = cpu_features().threads;
  int kept = 0;
  for (int i = 0; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--threads="))
      threads = std::stoul(argument.substr(10));
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  ThreadPool pool(threads);
  fmt::print("{}, {} threads, target {}\n", cpu_features().model, pool.threads(), simd_target());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  // All arrays of both sizes at once, 2.8 GB: the benchmarks may come in any order.
  std::map<size_t, std::vector<float>> draws;
  std::map<size_t, std::unique_ptr<CoordinateMoments>> moments;
  std::map<size_t, std::unique_ptr<Bandwidth>> bandwidths;
  for (const size_t n : {kResNet18, kLarge}) {
    draws[n] = values(n, 1);
    moments[n] = std::make_unique<CoordinateMoments>(n);
    bandwidths[n] = std::make_unique<Bandwidth>(n);
    benchmark::RegisterBenchmark(fmt::format("{}: bandwidth", n).c_str(),
                                 [&, n](benchmark::State& state) {
                                   for (auto _ : state) bandwidths[n]->add(draws[n], pool);
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(fmt::format("{}: moments", n).c_str(),
                                 [&, n](benchmark::State& state) {
                                   if (!verified(pool)) return state.SkipWithError("differs from the reference");
                                   for (auto _ : state) moments[n]->add(draws[n], pool);
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  fmt::print("\n{:<26}{:>10}{:>22}{:>8}{:>13}\n", "coordinates", "ms", "ms, min to max", "GB/s", "/ bandwidth");
  for (const auto& [full, times] : collector.seconds) {
    const std::string name = full.substr(0, full.find('/'));
    const double bandwidth = median(collector.find(name.substr(0, name.find(':')) + ": bandwidth")), t = median(times);
    const auto [low, high] = std::minmax_element(times.begin(), times.end());
    fmt::print("{:<26}{:>10.3f}{:>22}{:>8.1f}{:>13}\n", name, 1e3 * t,
               fmt::format("{:.3f} to {:.3f}", 1e3 * *low, 1e3 * *high), std::stod(name) * kBytes / t * 1e-9,
               bandwidth > 0 ? fmt::format("{:.2f}", bandwidth / t) : "");
  }
  return 0;
}

}  // namespace
}  // namespace signstep

int main(int argc, char** argv) { return signstep::bench_main(argc, argv); }
