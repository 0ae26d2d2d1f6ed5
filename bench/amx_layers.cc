// SPDX-License-Identifier: Apache-2.0
// The work of the engines amx and avx512 layer by layer, at batch 128 on 32 x 32 images: time, TFLOP/s and the share of
// what the unit that multiplies does when no operand leaves the registers, measured in the same run. Each pass is
// checked against the scalar reference on its first task before it is timed.
//
//   bench_amx_layers --benchmark_min_time=0.1 --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//
// The last lines are medians over the repetitions. Flags of our own: --width=N (64), --unit=vector for the vector unit
// where there is a matrix unit, --threads=N (default: all), --clock=cpu for the time of the one thread of --threads=1
// instead of elapsed time, on a machine that others use.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/amx_peak.h"
#include "signstep/base/cpu.h"
#include "signstep/engines/amx/context.h"
#include "signstep/parallel/thread_pool.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

using namespace amx;

constexpr int64_t kImages = 128;

struct Shape {
  std::string name;
  int64_t in, out, side, kernel, stride;
  int count;  // of such layers in ResNet-18
};

std::vector<Shape> shapes_of(int64_t w) {
  std::vector<Shape> shapes{{"stem", 27, w, 32, 1, 1, 1}};
  const auto add = [&](int64_t in, int64_t out, int64_t side, int64_t kernel, int64_t stride, int count) {
    std::string name = fmt::format("{}{}", kernel == 1 ? "shortcut " : "", in);
    if (out != in && kernel != 1) name += fmt::format(" to {}, /2", out);
    if (out == in) name += fmt::format(", {}x{}", side, side);
    shapes.push_back({name, in, out, side, kernel, stride, count});
  };
  for (int64_t stage = 0, in = w, side = 32; stage < 4; ++stage) {
    add(in, in, side, 3, 1, stage == 0 ? 4 : 3);
    if (stage == 3) break;
    add(in, 2 * in, side, 3, 2, 1);
    in *= 2;
    side /= 2;
  }
  for (int64_t in = w, side = 32; in < 8 * w; in *= 2, side /= 2) add(in, 2 * in, side, 1, 2, 1);
  return shapes;
}

struct Tensor {
  Tensor(int64_t pixels, int64_t channels, uint32_t seed)
      : tiles{blocks_of(kImages), pixels, blocks_of(channels), nullptr},
        memory(static_cast<size_t>(tiles.size()) * sizeof(Bf16)) {
    tiles.data = memory.as<Bf16>();
    const Stream stream(seed, Purpose::kProblem);
    for (int64_t i = 0; i < tiles.size(); ++i) {
      const uint32_t word = stream.group(static_cast<uint32_t>(i / 4))[static_cast<size_t>(i % 4)];
      if (i / kUnit % tiles.blocks * kSide + i % kSide < channels)
        tiles.data[i] = narrow(static_cast<float>(word) * 0x1p-31f - 1);
    }
  }
  Tiles tiles;
  Arena memory;
};

// One layer with all its passes.
class Case {
 public:
  explicit Case(const Shape& shape)
      : shape_(shape),
        geometry_{shape.side, shape.side, shape.kernel, shape.stride},
        forward_(Terms::forward(geometry_)),
        backward_(Terms::backward(geometry_)),
        bands_(geometry_),
        x_(geometry_.pixels(), shape.in, 1),
        y_(geometry_.out_pixels(), shape.out, 2),
        x_out_(geometry_.pixels(), shape.in, 3),
        y_out_(geometry_.out_pixels(), shape.out, 4),
        packed_(2 * static_cast<size_t>(packed_size(shape.out, shape.in, geometry_.taps())) * sizeof(Bf16)),
        weights_(static_cast<size_t>(shape.out * shape.in * geometry_.taps()), 0.01f),
        gradient_(weights_.size()),
        channels_(static_cast<size_t>(std::max(x_.tiles.blocks, y_.tiles.blocks) * kSide), 0.5f),
        sums_(static_cast<size_t>(std::max(row_count(x_), row_count(y_)) * kSums)) {
    backward_weights_ = packed_.as<Bf16>() + packed_size(shape.out, shape.in, geometry_.taps());
    chunks_ = std::clamp<int64_t>(8 / weight_gradient_columns(y_.tiles.blocks), 1, bands_.count(y_.tiles.groups));
    partial_.resize(static_cast<size_t>(chunks_ * y_.tiles.blocks * x_.tiles.blocks * geometry_.taps() * kUnit));
    for (size_t i = 0; i < weights_.size(); ++i)
      weights_[i] = 0.01f * static_cast<float>(static_cast<int>(i * 7919 % 201) - 100);
  }

  double flops() const {  // of one pass, borders left out as they are
    size_t pairs = 0;
    for (int64_t p = 0; p < geometry_.out_pixels(); ++p) pairs += forward_.of(p).size();
    return 2.0 * static_cast<double>(pairs) * static_cast<double>(kImages * shape_.in * shape_.out);
  }
  const Shape& network() const { return shape_; }

  void pack(Context& context) {
    const PackJob job{weights_.data(), shape_.out, shape_.in, geometry_.taps(), packed_.as<Bf16>(), backward_weights_};
    context.executor.run(static_cast<size_t>(y_.tiles.blocks),
                         [&](size_t block) { context.kernels.pack(job, static_cast<int64_t>(block)); });
  }
  void forward(Context& context) {
    context.for_each_part(y_.tiles, geometry_.out_width(), operand_size(),
                          [&](const Part& part) { forward(context.kernels, part); });
  }
  void data_gradient(Context& context) {
    context.for_each_part(x_.tiles, shape_.side, operand_size(),
                          [&](const Part& part) { data_gradient(context.kernels, part); });
  }
  void weight_gradient(Context& context) {
    const WeightGradientJob job = weight_gradient_job();
    context.scratch.resize(context.executor.threads(), static_cast<size_t>(weight_gradient_scratch(bands_)));
    context.executor.run(static_cast<size_t>(weight_gradient_columns(y_.tiles.blocks) * chunks_), [&](size_t task) {
      const Scratch::Loan loan(context.scratch);
      context.kernels.weight_gradient(job, static_cast<int64_t>(task) / chunks_, static_cast<int64_t>(task) % chunks_,
                                      loan.get());
    });
    context.executor.run(static_cast<size_t>(y_.tiles.blocks),
                         [&](size_t block) { context.kernels.sum_weight_gradient(job, static_cast<int64_t>(block)); });
  }
  void normalize(Context& context) {
    const NormalizeJob job{y_.tiles, y_out_.tiles,          {},     channels_.data(), channels_.data(), nullptr,
                           nullptr,  geometry_.out_width(), kImages};
    context.for_each_row(y_.tiles, geometry_.out_width(),
                         [&](int64_t group, int64_t row) { context.kernels.normalize(job, group, row); });
  }
  void norm_gradient(Context& context) {
    const NormGradientJob job{y_.tiles,         y_.tiles,         y_out_.tiles,          channels_.data(),
                              channels_.data(), channels_.data(), geometry_.out_width(), kImages};
    context.for_each_row(y_.tiles, geometry_.out_width(),
                         [&](int64_t group, int64_t row) { context.kernels.norm_gradient(job, group, row); });
  }

  // Whether the first row of each product agrees with the reference, and one weight's gradient with a sum by hand.
  bool verified(Context& context) {
    const auto first = [](const Tensor& t) { return std::vector<Bf16>(t.tiles.data, t.tiles.data + kUnit); };
    const auto close = [](const std::vector<Bf16>& a, const std::vector<Bf16>& b) {
      for (size_t i = 0; i < a.size(); ++i)
        if (!(std::fabs(widen(a[i]) - widen(b[i])) <= 0.01f + 0.01f * std::fabs(widen(b[i])))) return false;
      return true;
    };
    pack(context);
    forward(context);
    data_gradient(context);
    weight_gradient(context);
    const auto y = first(y_out_), x = first(x_out_);
    forward(reference_kernels(), {0, 0, 1, 0, 1});
    data_gradient(reference_kernels(), {0, 0, 1, 0, 1});
    double sum = 0;
    for (int64_t p = 0; p < geometry_.out_pixels(); ++p)
      for (const Term& term : forward_.of(p))
        for (int64_t i = 0; i < kImages && term.tap == 0; ++i)
          sum += static_cast<double>(widen(y_.tiles.unit(i / kSide, p, 0)[i % kSide * kSide])) *
                 widen(x_.tiles.unit(i / kSide, term.pixel, 0)[i % kSide * kSide]);
    return close(y, first(y_out_)) && close(x, first(x_out_)) &&
           std::fabs(gradient_[0] - sum) <= 1e-3 * std::fabs(sum) + 1e-2;
  }

 private:
  int64_t row_count(const Tensor& t) const { return t.tiles.groups * t.tiles.pixels * t.tiles.blocks; }
  int64_t operand_size() const { return packed_size(shape_.out, shape_.in, geometry_.taps()); }
  void forward(const Kernels& kernels, const Part& part) {
    const Source source{x_.tiles, packed_.as<Bf16>(), geometry_.taps(), &forward_, shape_.in, shape_.out};
    kernels.conv({{&source, 1}, y_out_.tiles, geometry_.out_width(), kImages, sums_.data()}, part);
  }
  void data_gradient(const Kernels& kernels, const Part& part) {
    const Source source{y_.tiles, backward_weights_, geometry_.taps(), &backward_, shape_.out, shape_.in};
    kernels.data_gradient({{&source, 1},
                           {.out = x_out_.tiles,
                            .z = x_.tiles,
                            .y0 = x_.tiles,
                            .add = {},
                            .y1 = {},
                            .mean0 = channels_.data(),
                            .mean1 = nullptr,
                            .width = shape_.side,
                            .images = kImages,
                            .sums = sums_.data()}},
                          part);
  }
  WeightGradientJob weight_gradient_job() {
    return {x_.tiles,        y_.tiles,         &bands_,    geometry_.taps(), chunks_,
            partial_.data(), gradient_.data(), shape_.out, shape_.in};
  }

  const Shape shape_;
  const Geometry geometry_;
  const Terms forward_, backward_;
  const Bands bands_;
  Tensor x_, y_, x_out_, y_out_;
  Arena packed_;
  Bf16* backward_weights_ = nullptr;
  int64_t chunks_ = 1;
  std::vector<float> weights_, gradient_, channels_, sums_, partial_;
};

class Collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs)
      if (run.run_type == Run::RT_Iteration)
        seconds[run.benchmark_name()].push_back((cpu_clock ? run.cpu_accumulated_time : run.real_accumulated_time) /
                                                static_cast<double>(run.iterations));
    ConsoleReporter::ReportRuns(runs);
  }
  double median_of(const std::string& name) {
    auto& v = seconds[name];
    if (v.empty()) return 0;
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
  }
  bool cpu_clock = false;
  std::map<std::string, std::vector<double>> seconds;
};

int run(int argc, char** argv) {
  size_t threads = cpu_features().threads;
  int64_t width = 64;
  bool vector = amx_kernels() == nullptr;
  Collector collector;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with("--threads=")) threads = std::strtoul(argv[i] + 10, nullptr, 10);
    if (std::string_view(argv[i]).starts_with("--width=")) width = std::strtol(argv[i] + 8, nullptr, 10);
    if (std::string_view(argv[i]) == "--clock=cpu") collector.cpu_clock = true;
    if (std::string_view(argv[i]) == "--unit=vector") vector = true;
  }
  benchmark::Initialize(&argc, argv);
  const Kernels* kernels = vector ? avx512_kernels() : amx_kernels();
  if (kernels == nullptr || width < 16 || width % 16 != 0) {
    fmt::print(stderr, "bench_amx_layers: {}; nothing was timed\n",
               kernels == nullptr ? "this processor has no bf16 dot products" : "the width is no multiple of 16");
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
  const double flops_per_product = vector ? kFlopsPerDotProducts : kFlopsPerProduct;
  const auto in_registers = vector ? dot_products_in_registers : multiply_in_registers;
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
  const double registers = collector.median_of("registers/real_time");
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
      const double t = collector.median_of(fmt::format("{}|{}/real_time", s.name, pass));
      total += s.count * t;
      line += t > 0 ? fmt::format("{:10.2f} {:7.2f} {:5.2f} ", 1e3 * t, 1e-12 * c->flops() / t, c->flops() / t / peak)
                    : fmt::format("{:>25}", "");
    }
    for (const char* pass : {"normalize", "norm gradient", "pack"}) {
      const double t = collector.median_of(fmt::format("{}|{}/real_time", s.name, pass));
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
