// SPDX-License-Identifier: Apache-2.0
// The work of the engines amx and avx512 layer by layer, at batch 128 on 32 x 32 images: time, TFLOP/s and the share of
// what the unit that multiplies does when no operand leaves the registers, measured in the same run. Before it is
// timed each pass is held against the scalar reference: the packed weights whole, of the others a unit of 32 x 32, of
// the weight gradient one number.
//
//   bench_amx_layers --benchmark_min_time=0.1 --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//
// The last lines are medians over the repetitions. Flags of our own: --width=N (64), --unit=vector for the vector unit
// where there is a matrix unit, --threads=N (default: all), --clock=cpu for the time of the one thread of --threads=1
// instead of elapsed time, on a machine that others use.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/amx_layer.h"
#include "bench/amx_peak.h"
#include "bench/collector.h"
#include "signstep/base/cpu.h"
#include "signstep/parallel/thread_pool.h"

namespace signstep {
namespace {

using namespace amx;

int run(int argc, char** argv) {
  const std::string threads_flag = take_flag(argc, argv, "--threads"), clock = take_flag(argc, argv, "--clock"),
                    width_flag = take_flag(argc, argv, "--width"), unit = take_flag(argc, argv, "--unit");
  if (wrong_clock(clock, threads_flag)) return 2;
  if (!unit.empty() && unit != "vector") {
    fmt::print(stderr, "--unit={}: wanted --unit=vector, or nothing\n", unit);
    return 2;
  }
  const size_t threads = threads_flag.empty() ? cpu_features().threads : std::stoul(threads_flag);
  const int64_t width = width_flag.empty() ? 64 : std::stol(width_flag);
  const bool vector = !unit.empty() || amx_kernels() == nullptr;
  Collector collector;
  collector.cpu_clock = !clock.empty();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const Kernels* kernels = vector ? avx512_kernels() : amx_kernels();
  if (kernels == nullptr || width < 16 || width % 16 != 0) {
    fmt::print(stderr, "bench_amx_layers: {}; nothing was timed\n",
               kernels == nullptr ? "this processor has no AVX-512" : "the width is no multiple of 16");
    return 1;
  }
  ThreadPool pool(threads);
  Context context{.kernels = *kernels, .executor = pool, .values = {}, .gradients = {}, .buffers = {}};
  std::vector<std::unique_ptr<Case>> cases;
  const auto add = [&](const std::string& name, auto&& body) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [body](benchmark::State& state) {
                                   for (auto _ : state) body();
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  const int64_t products = vector ? 24'000'000 : 480'000;  // milliseconds of either
  const bool fused = vector && faster_products() == VectorProducts::kFused;
  const double flops_per_product = fused ? kFlopsPerMultiplyAdd : vector ? kFlopsPerDotProducts : kFlopsPerProduct;
  const auto in_registers = fused    ? multiply_adds_in_registers
                            : vector ? dot_products_in_registers
                                     : multiply_in_registers;
  add("registers", [&] { pool.run(threads, [&](size_t) { in_registers(products); }); });
  for (const Shape& shape : shapes_of(width)) {
    cases.push_back(std::make_unique<Case>(shape));
    Case* c = cases.back().get();
    if (!c->verified(context)) {
      fmt::print(stderr, "bench_amx_layers: {} differs from the reference; nothing was timed\n", shape.name);
      return 1;
    }
    add(shape.name + "|forward", [&, c] { c->forward(context); });
    if (shape.name != "stem") add(shape.name + "|data gradient", [&, c] { c->data_gradient(context); });
    add(shape.name + "|weight gradient", [&, c] { c->weight_gradient(context); });
    add(shape.name + "|normalize", [&, c] { c->normalize(context); });
    add(shape.name + "|norm gradient", [&, c] { c->norm_gradient(context); });
    add(shape.name + "|pack", [&, c] { c->pack(context); });
  }
  benchmark::RunSpecifiedBenchmarks(&collector);
  const double registers = median(collector.find("registers"));
  const double peak =
      registers > 0 ? static_cast<double>(products) * static_cast<double>(threads) * flops_per_product / registers : 0;
  fmt::print("\n{}, {} threads, width {}, batch {}; registers alone {:.2f} TFLOP/s\n", kernels->name, threads, width,
             kImages, peak * 1e-12);
  fmt::print("{:16} {:>2}  {:>24} {:>24} {:>24} {:>9} {:>9} {:>6}\n", "layer", "x", "forward ms TFLOP/s share",
             "data gradient", "weight gradient", "normalize", "gradient", "pack");
  double total = 0;
  for (const auto& c : cases) {
    const Shape& s = c->network();
    std::string line = fmt::format("{:16} {:>2}  ", s.name, s.count);
    for (const char* pass : {"forward", "data gradient", "weight gradient"}) {
      const double t = median(collector.find(fmt::format("{}|{}", s.name, pass)));
      total += s.count * t;
      line += t > 0 ? fmt::format("{:10.2f} {:7.2f} {:5.2f} ", 1e3 * t, 1e-12 * c->flops() / t, c->flops() / t / peak)
                    : fmt::format("{:>25}", "");
    }
    for (const char* pass : {"normalize", "norm gradient", "pack"}) {
      const double t = median(collector.find(fmt::format("{}|{}", s.name, pass)));
      total += s.count * t;
      line += fmt::format("{:9.2f} ", 1e3 * t);
    }
    fmt::print("{}\n", line);
  }
  fmt::print("sum over the network's layers {:.1f} ms\n", 1e3 * total);
  return 0;
}

}  // namespace
}  // namespace signstep

int main(int argc, char** argv) { return signstep::run(argc, argv); }
