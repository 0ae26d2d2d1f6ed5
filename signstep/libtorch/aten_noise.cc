// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/aten_noise.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <mutex>
#include <numbers>

#include "signstep/kernels/dither_draw.h"
#include "signstep/kernels/zero_coins.h"
#include "signstep/random/normal.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

using at::Tensor;

constexpr int64_t kPiece = 4096;  // elements that one thread draws at a time; a multiple of every group of draws

// f(begin, end) over pieces of n elements; each begins at a multiple of kPiece.
template <class F>
void for_each_piece(int64_t n, F&& f) {
  at::parallel_for(0, (n + kPiece - 1) / kPiece, 8, [&](int64_t first, int64_t last) {
    for (int64_t piece = first; piece < last; ++piece) f(piece * kPiece, std::min(n, (piece + 1) * kPiece));
  });
}

class CounterNoise final : public AtenNoise {
 public:
  CounterNoise(const SignStep& step, uint32_t index)
      : draws_(stream(step, Purpose::kDither, index)),
        refinement_(stream(step, Purpose::kRefinement, index)),
        gaussian_(stream(step, Purpose::kGaussian, index)),
        coins_(stream(step, Purpose::kZeroCoin, index)) {}

  Tensor normal(const Tensor& like) override {
    const Tensor out = at::empty(like.sizes(), at::kFloat);
    auto* xi = out.data_ptr<float>();
    for_each_piece(out.numel(), [&](int64_t begin, int64_t end) {
      fill_normal(gaussian_, static_cast<uint64_t>(begin), {xi + begin, xi + end});
    });
    return out.to(like.scalar_type());
  }

  Tensor signs(const Tensor& u, const Tensor& sigma, DitherNoise law) override {
    const Tensor wide = u.to(at::kDouble).contiguous(), out = at::empty(u.sizes(), at::kDouble);
    const Tensor scale = sigma.to(at::kDouble).expand_as(u).contiguous();
    const auto *values = wide.data_ptr<double>(), *sigmas = scale.data_ptr<double>();
    const auto is_plus = law == DitherNoise::kUniform ? uniform_is_plus : dither_is_plus;
    auto* s = out.data_ptr<double>();
    for_each_piece(out.numel(), [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; group += 8) {
        const auto g = static_cast<uint32_t>(group / 8);
        const PhiloxCounter words = draws_.group(g);
        const PhiloxCounter fine[] = {refinement_.group(2 * g), refinement_.group(2 * g + 1)};
        for (int64_t k = 0; k < std::min<int64_t>(8, end - group); ++k) {
          const uint32_t word = words[k / 2];
          const auto halfword = static_cast<int16_t>(k % 2 ? word >> 16 : word);
          s[group + k] = is_plus(values[group + k], sigmas[group + k], halfword, fine[k / 4][k % 4]) ? 1 : -1;
        }
      }
    });
    return out.to(u.scalar_type());
  }

  // Rounding a double quotient of floats to float is the float quotient, so this is uniform_mean for float too.
  Tensor means(const Tensor& u, const Tensor& sigma, DitherNoise law) override {
    const Tensor wide = u.to(at::kDouble).contiguous(), scale = sigma.to(at::kDouble).expand_as(u).contiguous();
    if (law == DitherNoise::kUniform) return at::clamp(at::div(wide, scale), -1, 1).to(u.scalar_type());
    const Tensor out = at::empty(u.sizes(), at::kDouble);
    const auto *values = wide.data_ptr<double>(), *sigmas = scale.data_ptr<double>();
    auto* s = out.data_ptr<double>();
    for_each_piece(out.numel(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) s[i] = gaussian_mean(values[i], sigmas[i]);
    });
    return out.to(u.scalar_type());
  }

  Tensor coins(const Tensor& like) override {
    const Tensor out = at::empty(like.sizes(), at::kFloat);
    auto* s = out.data_ptr<float>();
    for_each_piece(out.numel(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        s[i] = zero_coins(coins_, static_cast<uint64_t>(i / 64)) >> (i % 64) & 1 ? 1.0f : -1.0f;
      }
    });
    return out.to(like.scalar_type());
  }

 private:
  static Stream stream(const SignStep& step, Purpose purpose, uint32_t index) {
    return Stream(step.seed, purpose, step.step, index, step.rank);
  }
  Stream draws_, refinement_, gaussian_, coins_;
};

class GeneratorNoise final : public AtenNoise {
 public:
  // The device's default generator is copied, not advanced.
  GeneratorNoise(const SignStep& step, uint32_t index, at::Device device) {
    at::Generator shared = at::globalContext().defaultGenerator(device);
    {
      const std::lock_guard<std::mutex> lock(shared.mutex());
      generator_ = shared.clone();
    }
    const Stream stream(step.seed, Purpose::kFrameworkSeed, step.step, index, step.rank);
    generator_.set_current_seed(stream.word(0) | static_cast<uint64_t>(stream.word(1)) << 32);
  }

  Tensor normal(const Tensor& like) override { return at::randn(like.sizes(), generator_, like.options()); }
  Tensor signs(const Tensor& u, const Tensor& sigma, DitherNoise law) override {
    const Tensor z = at::div(u, sigma.to(u.options()));
    return plus_where(law == DitherNoise::kUniform ? at::add(at::mul(z, 0.5), 0.5) : at::special_ndtr(z));
  }
  Tensor means(const Tensor& u, const Tensor& sigma, DitherNoise law) override {
    const Tensor z = at::div(u, sigma.to(u.options()));
    return law == DitherNoise::kUniform ? at::clamp(z, -1, 1) : at::erf(at::mul(z, std::numbers::sqrt2 / 2));
  }
  Tensor coins(const Tensor& like) override { return plus_where(at::full_like(like, 0.5)); }

 private:
  Tensor plus_where(const Tensor& p) {
    const Tensor uniform = at::rand(p.sizes(), generator_, p.options());
    return at::where(at::lt(uniform, p), at::ones_like(p), at::full_like(p, -1));
  }
  at::Generator generator_;
};

}  // namespace

std::unique_ptr<AtenNoise> counter_noise(const SignStep& step, uint32_t index) {
  return std::make_unique<CounterNoise>(step, index);
}

std::unique_ptr<AtenNoise> generator_noise(const SignStep& step, uint32_t index, at::Device device) {
  return std::make_unique<GeneratorNoise>(step, index, device);
}

std::unique_ptr<AtenNoise> noise_for(at::Device device, const SignStep& step, uint32_t index) {
  return device.is_cpu() ? counter_noise(step, index) : generator_noise(step, index, device);
}

}  // namespace signstep
