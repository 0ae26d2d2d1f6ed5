// SPDX-License-Identifier: Apache-2.0
// Every fast kernel beside its reference on identical bf16 operands: strides, borders, blocks that are not full, images
// that do not fill a group.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <tuple>

#include "tests/engines/amx_fixtures.h"

namespace signstep::amx {
namespace {

const Shape kShapes[] = {{40, 64, 32, 5, 7, 3, 1}, {32, 16, 48, 6, 6, 3, 2},  {33, 32, 64, 7, 5, 3, 2},
                         {7, 96, 16, 8, 8, 1, 2},  {64, 27, 16, 4, 4, 1, 1},  {96, 64, 64, 3, 4, 3, 1},
                         {1, 32, 32, 1, 1, 3, 1},  {66, 32, 64, 2, 33, 3, 1}, {35, 16, 16, 5, 6, 3, 1},
                         {34, 48, 80, 4, 5, 3, 1}};

Tensor magnitudes(const Tensor& of, int64_t images, int64_t channels) {
  Tensor out(images, of.tiles.pixels, channels);
  for (int64_t i = 0; i < of.tiles.size(); ++i) out.tiles.data[i] = static_cast<Bf16>(of.tiles.data[i] & 0x7fff);
  return out;
}

std::vector<float> absolute(std::vector<float> v) {
  for (float& x : v) x = std::fabs(x);
  return v;
}

// Distance in the last place of bf16 allowed after rounding.
double ulp(float x) { return std::ldexp(1.0, std::ilogb(std::max(std::fabs(x), 1e-30f)) - 7); }

struct Unit {
  const char* name;
  const Kernels* (*kernels)();
};

void PrintTo(const Unit& u, std::ostream* out) { *out << u.name; }

template <VectorProducts kProducts>
const Kernels* kernels_by() {
  return avx512_kernels(kProducts);
}

class AmxKernels : public testing::TestWithParam<std::tuple<Shape, Unit>> {
 protected:
  void SetUp() override {
    fast_ = std::get<Unit>(GetParam()).kernels();
    if (fast_ == nullptr) GTEST_SKIP() << "this processor has no " << std::get<Unit>(GetParam()).name;
  }
  int64_t out_pixels() const { return g_.out_pixels(); }
  int64_t taps() const { return s_.kernel * s_.kernel; }

  // Every task of a pass over t.
  template <class F>
  static void each_row(const Tiles& t, int64_t width, F&& f) {
    for (int64_t group = 0; group < t.groups; ++group)
      for (int64_t row = 0; row < t.pixels / width; ++row) f(group, row);
  }
  static std::vector<float> sums_of(const Tiles& t, int64_t width) {
    return std::vector<float>(static_cast<size_t>(t.groups * (t.pixels / width) * t.blocks * kSums));
  }

  const Shape s_ = std::get<Shape>(GetParam());
  const Geometry g_{s_.height, s_.width, s_.kernel, s_.stride};
  const Kernels* fast_ = nullptr;
  const Kernels& slow_ = reference_kernels();
};

TEST_P(AmxKernels, Pack) {
  const auto weights = random_floats(static_cast<size_t>(s_.out * taps() * s_.in), 5);
  const Packed fast(*fast_, weights, s_), slow(slow_, weights, s_);
  EXPECT_EQ(std::memcmp(fast.forward.as<Bf16>(), slow.forward.as<Bf16>(), Packed::bytes(s_)), 0);
  EXPECT_EQ(std::memcmp(fast.backward.as<Bf16>(), slow.backward.as<Bf16>(), Packed::bytes(s_)), 0);
}

TEST_P(AmxKernels, ConvolutionAndItsStatistics) {
  const Tensor x(s_.images, g_.pixels(), s_.in, 1);
  const auto weights = random_floats(static_cast<size_t>(s_.out * taps() * s_.in), 2);
  const Packed packed(slow_, weights, s_), packed_size(slow_, absolute(weights), s_);
  const Tensor size = magnitudes(x, s_.images, s_.in);
  const Terms terms = Terms::forward(g_);
  const auto run = [&](const Kernels& kernels, const Tensor& in, const Packed& w, const Tensor& out) {
    const Source source{in.tiles, w.forward.as<Bf16>(), taps(), &terms, s_.in, s_.out};
    auto sums = sums_of(out.tiles, g_.out_width());
    const ConvJob job{{&source, 1}, out.tiles, g_.out_width(), s_.images, sums.data()};
    each_row(out.tiles, g_.out_width(), [&](int64_t group, int64_t row) {
      kernels.conv(job, {group, row, row + 1, 0, out.tiles.blocks});
    });
    return sums;
  };
  const Tensor fast(s_.images, out_pixels(), s_.out), slow(s_.images, out_pixels(), s_.out),
      scale(s_.images, out_pixels(), s_.out);
  const auto fast_sums = run(*fast_, x, packed, fast), slow_sums = run(slow_, x, packed, slow);
  run(slow_, size, packed_size, scale);
  for (int64_t i = 0; i < fast.tiles.size(); ++i) {
    const float a = widen(fast.tiles.data[i]), b = widen(slow.tiles.data[i]);
    ASSERT_LE(std::fabs(a - b), 1e-5 * widen(scale.tiles.data[i]) + ulp(b)) << i;
  }
  for (size_t i = 0; i < fast_sums.size(); ++i)
    ASSERT_NEAR(fast_sums[i], slow_sums[i], 1e-3 * std::fabs(slow_sums[i]) + 1e-2) << i;
}

TEST_P(AmxKernels, DataGradientAndItsSums) {
  const Tensor dy(s_.images, out_pixels(), s_.out, 1), z(s_.images, g_.pixels(), s_.in, 2),
      y0(s_.images, g_.pixels(), s_.in, 3), y1(s_.images, g_.pixels(), s_.in, 4), add(s_.images, g_.pixels(), s_.in, 5);
  const auto weights = random_floats(static_cast<size_t>(s_.out * taps() * s_.in), 6);
  const auto mean0 = random_floats(static_cast<size_t>(z.tiles.blocks * kSide), 7),
             mean1 = random_floats(mean0.size(), 8);
  const Packed packed(slow_, weights, s_);
  const Terms terms = Terms::backward(g_);
  // Twice the same source: results of two are summed.
  const Source one{dy.tiles, packed.backward.as<Bf16>(), taps(), &terms, s_.out, s_.in};
  const Source source[]{one, one};
  for (const size_t sources : {1u, 2u}) {
    const auto run = [&](const Kernels& kernels, const Tensor& out) {
      auto sums = sums_of(out.tiles, s_.width);
      const DataGradientJob job{{source, sources},
                                {.out = out.tiles,
                                 .z = z.tiles,
                                 .y0 = y0.tiles,
                                 .add = sources == 1 ? add.tiles : Tiles{},
                                 .y1 = sources == 2 ? y1.tiles : Tiles{},
                                 .mean0 = mean0.data(),
                                 .mean1 = mean1.data(),
                                 .width = s_.width,
                                 .images = s_.images,
                                 .sums = sums.data()}};
      each_row(out.tiles, s_.width, [&](int64_t group, int64_t row) {
        kernels.data_gradient(job, {group, row, row + 1, 0, out.tiles.blocks});
      });
      return sums;
    };
    const Tensor fast(s_.images, g_.pixels(), s_.in), slow(s_.images, g_.pixels(), s_.in);
    const auto fast_sums = run(*fast_, fast), slow_sums = run(slow_, slow);
    const double tolerance = 1e-5 * static_cast<double>(sources * static_cast<size_t>(s_.out * taps()));
    for (int64_t i = 0; i < fast.tiles.size(); ++i) {
      const float a = widen(fast.tiles.data[i]), b = widen(slow.tiles.data[i]);
      ASSERT_LE(std::fabs(a - b), tolerance + ulp(b)) << i;
    }
    for (size_t i = 0; i < fast_sums.size(); ++i)
      ASSERT_NEAR(fast_sums[i], slow_sums[i], 1e-3 * std::fabs(slow_sums[i]) + 0.05) << i;
  }
}

TEST_P(AmxKernels, WeightGradient) {
  const Tensor x(s_.images, g_.pixels(), s_.in, 1), dy(s_.images, out_pixels(), s_.out, 2);
  const Tensor x_size = magnitudes(x, s_.images, s_.in), dy_size = magnitudes(dy, s_.images, s_.out);
  const Bands lists(g_);
  const Arena scratch(static_cast<size_t>(weight_gradient_scratch(lists)));
  const auto run = [&](const Kernels& kernels, const Tensor& in, const Tensor& gradient, int64_t chunks) {
    std::vector<float> partial(static_cast<size_t>(chunks * dy.tiles.blocks * x.tiles.blocks * taps() * kUnit));
    std::vector<float> out(static_cast<size_t>(s_.out * taps() * s_.in) + 1, -7.0f);
    const WeightGradientJob job{in.tiles,       gradient.tiles, &lists, taps(), chunks,
                                partial.data(), out.data(),     s_.out, s_.in};
    for (int64_t column = 0; column < weight_gradient_columns(dy.tiles.blocks); ++column)
      for (int64_t chunk = 0; chunk < chunks; ++chunk)
        kernels.weight_gradient(job, column, chunk, scratch.as<std::byte>());
    for (int64_t block = 0; block < dy.tiles.blocks; ++block) kernels.sum_weight_gradient(job, block);
    EXPECT_EQ(out.back(), -7.0f) << "written past the end";
    return out;
  };
  const int64_t chunks = std::min<int64_t>(2, lists.count(x.tiles.groups));
  const auto fast = run(*fast_, x, dy, chunks), slow = run(slow_, x, dy, 1), size = run(slow_, x_size, dy_size, 1);
  for (size_t i = 0; i + 1 < slow.size(); ++i) ASSERT_NEAR(fast[i], slow[i], 1e-5 * size[i] + 1e-6) << i;
}

TEST_P(AmxKernels, Passes) {
  const int64_t pixels = g_.pixels(), width = s_.width;
  const Tensor y(s_.images, pixels, s_.in, 1), r(s_.images, pixels, s_.in, 2);
  const auto channels = static_cast<size_t>(y.tiles.blocks * kSide);
  const auto scale = random_floats(channels, 3), shift = random_floats(channels, 4), rs = random_floats(channels, 5),
             rt = random_floats(channels, 6);
  const Tensor fast(s_.images, pixels, s_.in), slow(s_.images, pixels, s_.in);
  const auto same = [&] {
    for (int64_t i = 0; i < fast.tiles.size(); ++i) {
      if (widen(fast.tiles.data[i]) != widen(slow.tiles.data[i])) return false;
    }
    return true;
  };
  for (const int kind : {0, 1, 2}) {  // no residual, an activation, another norm's
    NormalizeJob job{y.tiles,      fast.tiles,   kind ? r.tiles : Tiles{},
                     scale.data(), shift.data(), kind == 2 ? rs.data() : nullptr,
                     rt.data(),    width,        s_.images};
    each_row(y.tiles, width, [&](int64_t group, int64_t row) { fast_->normalize(job, group, row); });
    job.out = slow.tiles;
    each_row(y.tiles, width, [&](int64_t group, int64_t row) { slow_.normalize(job, group, row); });
    EXPECT_TRUE(same()) << kind;
  }
  NormGradientJob job{r.tiles, y.tiles, fast.tiles, scale.data(), shift.data(), rs.data(), width, s_.images};
  each_row(y.tiles, width, [&](int64_t group, int64_t row) { fast_->norm_gradient(job, group, row); });
  job.out = slow.tiles;
  each_row(y.tiles, width, [&](int64_t group, int64_t row) { slow_.norm_gradient(job, group, row); });
  EXPECT_TRUE(same());
}

TEST_P(AmxKernels, PoolGradient) {
  const int64_t pixels = g_.pixels(), width = s_.width;
  const Tensor z(s_.images, pixels, s_.in, 1), y(s_.images, pixels, s_.in, 2), fast(s_.images, pixels, s_.in),
      slow(s_.images, pixels, s_.in);
  const auto channels = static_cast<size_t>(z.tiles.blocks * kSide);
  const auto gradient = random_floats(static_cast<size_t>(z.tiles.groups * kSide) * channels, 3),
             mean = random_floats(channels, 4);
  auto fast_sums = sums_of(z.tiles, width), slow_sums = fast_sums;
  PoolGradientJob job{gradient.data(),
                      {.out = fast.tiles,
                       .z = z.tiles,
                       .y0 = y.tiles,
                       .add = {},
                       .y1 = {},
                       .mean0 = mean.data(),
                       .mean1 = nullptr,
                       .width = width,
                       .images = s_.images,
                       .sums = fast_sums.data()}};
  each_row(z.tiles, width, [&](int64_t group, int64_t row) { fast_->pool_gradient(job, group, row); });
  job.epilogue.out = slow.tiles;
  job.epilogue.sums = slow_sums.data();
  each_row(z.tiles, width, [&](int64_t group, int64_t row) { slow_.pool_gradient(job, group, row); });
  EXPECT_EQ(std::memcmp(fast.tiles.data, slow.tiles.data, static_cast<size_t>(fast.tiles.size()) * sizeof(Bf16)), 0);
  for (size_t i = 0; i < fast_sums.size(); ++i) ASSERT_NEAR(fast_sums[i], slow_sums[i], 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Shapes, AmxKernels,
                         testing::Combine(testing::ValuesIn(kShapes),
                                          testing::Values(Unit{"bf16 matrix units", amx_kernels},
                                                          Unit{"bf16 dot products", kernels_by<VectorProducts::kDots>},
                                                          Unit{"AVX-512", kernels_by<VectorProducts::kFused>})));

TEST(Bf16, RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(narrow(1.0f), 0x3f80);
  EXPECT_EQ(narrow(1.0f + 0x1p-8f), 0x3f80);      // half way: to even
  EXPECT_EQ(narrow(1.0f + 3 * 0x1p-8f), 0x3f82);  // half way: to even
  EXPECT_EQ(narrow(1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);
  EXPECT_TRUE(std::isnan(widen(narrow(std::nanf("")))));
  EXPECT_EQ(widen(narrow(3.4e38f)), HUGE_VALF);
}

}  // namespace
}  // namespace signstep::amx
