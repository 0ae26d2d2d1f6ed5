// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/dither.h"

#include <cmath>
#include <numbers>

#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum DitherShape;

DitherOptions from_four_to_one(DitherShape shape, double until = 1) {
  return resolved(DitherOptions{.dither = DitherKind::kAbsolute,
                                .dither_level = 4.0,
                                .dither_final = shape == kConstant ? 4.0 : 1.0,
                                .dither_shape = shape,
                                .dither_until = until});
}

TEST(Dither, EveryShapeMeetsItsFormula) {
  struct Row {
    DitherShape shape;
    double quarter, half, end;
  };
  for (const Row& row : {Row{kConstant, 4, 4, 4}, Row{kLinear, 3.25, 2.5, 1},
                         Row{kCosine, 1 + 1.5 * (1 + std::numbers::sqrt2 / 2), 2.5, 1},
                         Row{kExponential, 4 * std::pow(0.25, 0.25), 2, 1},
                         Row{kInverseSqrt, 4 / std::sqrt(1 + 15 * 0.25), 4 / std::sqrt(8.5), 1}}) {
    const DitherOptions o = from_four_to_one(row.shape);
    SCOPED_TRACE(static_cast<int>(row.shape));
    EXPECT_EQ(dither_level(o, 0, 1000), 4.0);
    EXPECT_NEAR(dither_level(o, 250, 1000), row.quarter, 1e-12);
    EXPECT_NEAR(dither_level(o, 500, 1000), row.half, 1e-12);
    EXPECT_EQ(dither_level(o, 1000, 1000), row.end);
    EXPECT_EQ(dither_level(o, 5000, 1000), row.end);
    for (uint64_t t = 1; t < 1100; ++t) EXPECT_LE(dither_level(o, t, 1000), dither_level(o, t - 1, 1000));
  }
}

TEST(Dither, StaysAtItsFinalLevelAfterItsShareOfTheRun) {
  for (const DitherShape shape : {kLinear, kCosine, kExponential, kInverseSqrt}) {
    const DitherOptions o = from_four_to_one(shape, 0.5);
    EXPECT_EQ(dither_level(o, 250, 1000), dither_level(from_four_to_one(shape), 500, 1000));
    EXPECT_GT(dither_level(o, 499, 1000), 1.0);
    for (const uint64_t t : {500u, 501u, 1000u}) EXPECT_EQ(dither_level(o, t, 1000), 1.0);
  }
}

TEST(Dither, MayRise) {
  for (const DitherShape shape : {kLinear, kCosine, kExponential, kInverseSqrt}) {
    const DitherOptions o = resolved(DitherOptions{
        .dither = DitherKind::kRelative, .dither_level = 0.5, .dither_final = 2.0, .dither_shape = shape});
    for (uint64_t t = 1; t <= 100; ++t) EXPECT_GT(dither_level(o, t, 100), dither_level(o, t - 1, 100));
    EXPECT_EQ(dither_level(o, 100, 100), 2.0);
  }
}

TEST(Dither, ExtremeLevelsStayFinite) {
  for (const DitherShape shape : {kLinear, kCosine, kExponential, kInverseSqrt}) {
    const DitherOptions o = resolved(DitherOptions{
        .dither = DitherKind::kAbsolute, .dither_level = 3e38, .dither_final = 1e-38, .dither_shape = shape});
    for (uint64_t t = 0; t <= 10; ++t) EXPECT_TRUE(std::isfinite(dither_level(o, t, 10)));
    EXPECT_EQ(dither_level(o, 0, 0), 1e-38) << "a run of no steps is over";
  }
}

TEST(Dither, AutoLevels) {
  const DitherOptions relative = resolved(DitherOptions{.dither = DitherKind::kRelative});
  EXPECT_EQ(relative.dither_level, 1.0);
  EXPECT_EQ(relative.dither_final, 0.0);
  EXPECT_EQ(dither_level(relative, 0, 10), 1.0);
  EXPECT_EQ(dither_level(relative, 10, 10), 0.0);
  DitherOptions o{.dither = DitherKind::kAbsolute, .dither_level = 3.0, .dither_shape = kExponential};
  EXPECT_EQ(resolved(o).dither_final, 0.03);
  o.dither_shape = kConstant;
  EXPECT_EQ(resolved(o).dither_final, 3.0);
  EXPECT_EQ(resolved(resolved(o)).dither_final, 3.0);
  EXPECT_EQ(dither_level(resolved(DitherOptions{}), 0, 10), 0.0);
}

TEST(Dither, RefusesWhatCannotBe) {
  const auto error = [](DitherOptions o) { return option_error([&] { resolved(o); }); };
  EXPECT_THAT(error({.dither_level = 1.0}), HasSubstr("dither_level is 1 and dither is none"));
  EXPECT_THAT(error({.dither_final = 1.0}), HasSubstr("dither_final is 1 and dither is none"));
  EXPECT_THAT(error({.dither = DitherKind::kAbsolute}), HasSubstr("which no default fits"));
  EXPECT_THAT(error({.dither = DitherKind::kRelative, .dither_level = -1.0}), HasSubstr("at least 0"));
  for (const DitherShape shape : {kExponential, kInverseSqrt}) {
    EXPECT_THAT(error({.dither = DitherKind::kRelative, .dither_final = 0.0, .dither_shape = shape}),
                HasSubstr("wanted both greater than 0"));
    EXPECT_THAT(
        error({.dither = DitherKind::kRelative, .dither_level = 0.0, .dither_final = 1.0, .dither_shape = shape}),
        HasSubstr("wanted both greater than 0"));
  }
  EXPECT_THAT(error({.dither = DitherKind::kRelative, .dither_final = 0.5, .dither_shape = kConstant}),
              HasSubstr("wanted one value"));
  EXPECT_THAT(error({.dither = DitherKind::kRelative, .dither_until = 0}), HasSubstr("in (0, 1]"));
  // Kernels compute in float: infinity times 0 would be a NaN, and noise of size 0 none.
  for (const DitherKind kind : {DitherKind::kRelative, DitherKind::kAbsolute, DitherKind::kMaximum}) {
    EXPECT_THAT(error({.dither = kind, .dither_level = 1e39}),
                HasSubstr("dither_level is 1e+39, which is inf in float"));
    EXPECT_THAT(error({.dither = kind, .dither_level = 1.0, .dither_final = 1e39}), HasSubstr("dither_final is 1e+39"));
    EXPECT_THAT(error({.dither = kind, .dither_level = 1e-60}),
                HasSubstr("dither_level is 1e-60, which is 0 in float"));
  }
}

TEST(Dither, AStateThatIsNotItsOwnIsRefused) {
  const DitherOptions o = resolved(DitherOptions{.dither = DitherKind::kRelative});
  const auto error = [&](std::vector<double> rms) {
    try {
      require_fit(DitherState{std::move(rms)}, o, 2);
    } catch (const CheckpointError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error({0, 1e300}), "no error");
  EXPECT_THAT(error({1}), HasSubstr("dither_rms has 1 entries, wanted 2"));
  for (const double bad : {-1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)})
    EXPECT_THAT(error({1, bad}), HasSubstr("dither_rms[1] is ")) << bad;
}

TEST(Dither, AMaximumNeedsNoRmsAndIsKept) {
  const DitherOptions o = resolved(DitherOptions{.dither = DitherKind::kMaximum});
  EXPECT_EQ(o.dither_level, 1.0);
  EXPECT_EQ(o.dither_final, 0.0);
  EXPECT_TRUE(keeps_maximum(o));
  EXPECT_FALSE(keeps_maximum(DitherOptions{.dither = DitherKind::kRelative}));
  EXPECT_TRUE(make_dither_state(o, 3).rms.empty());
  EXPECT_FALSE(must_measure(o, 1, 0));
  EXPECT_EQ(sigma_for(o, 0.5, 0), 0.5);
}

TEST(Dither, UniformNoiseAndMaximaHaveTheirPlaces) {
  const auto error = [](DitherKind kind, DitherNoise noise, DitherOn on) {
    return option_error([&] { resolved({.dither = kind, .dither_on = on, .dither_noise = noise}); });
  };
  for (const DitherOn on : {DitherOn::kUpdate, DitherOn::kMean})
    for (const DitherKind kind : {DitherKind::kRelative, DitherKind::kMaximum})
      for (const DitherNoise noise : {DitherNoise::kGaussian, DitherNoise::kUniform})
        EXPECT_EQ(error(kind, noise, on), "no error");
  EXPECT_THAT(error(DitherKind::kMaximum, DitherNoise::kGaussian, DitherOn::kPost),
              HasSubstr("dither is maximum and dither_on post; wanted it on the update or as its mean"));
  EXPECT_THAT(error(DitherKind::kRelative, DitherNoise::kUniform, DitherOn::kGradient),
              HasSubstr("dither_noise is uniform and dither_on gradient"));
}

TEST(Dither, SigmaFollowsTheStoredRms) {
  const DitherOptions relative = resolved(DitherOptions{.dither = DitherKind::kRelative});
  DitherState state = make_dither_state(relative, 3);
  ASSERT_EQ(state.rms.size(), 3u);
  EXPECT_TRUE(must_measure(relative, 1, state.rms[0])) << "the first step";
  EXPECT_EQ(sigma_for(relative, 2, 0.25), 0.5);
  EXPECT_FALSE(must_measure(relative, 1, 0.25));
  EXPECT_FALSE(must_measure(relative, 0, 0)) << "annealed to nothing: nothing to measure";
  EXPECT_EQ(sigma_for(relative, 2, rms_of(0, 100)), 0) << "an all-zero tensor takes no dither";
  EXPECT_EQ(rms_of(0, 0), 0) << "no finite coordinate";
  EXPECT_EQ(rms_of(36, 4), 3);
}

TEST(Dither, AbsoluteAndPostNeedNoRms) {
  for (const DitherOptions& o : {DitherOptions{.dither = DitherKind::kAbsolute, .dither_level = 1.0},
                                 DitherOptions{.dither = DitherKind::kRelative, .dither_on = DitherOn::kPost}}) {
    EXPECT_TRUE(make_dither_state(resolved(o), 3).rms.empty());
    EXPECT_FALSE(must_measure(resolved(o), 1, 0));
    EXPECT_EQ(sigma_for(resolved(o), 2, 0), 2);
  }
}

// Signum on constant gradients with noise on the gradient at c = 2. What counts is that the stored rms is the
// noise-free one: measured with its own noise it doubles at every step or so.
struct Loop {
  double worst_sigma = 0, worst_momentum = 0;
};

Loop constant_gradients(bool rms_holds_its_noise) {
  const DitherOptions o = resolved(DitherOptions{.dither = DitherKind::kRelative,
                                                 .dither_level = 2.0,
                                                 .dither_shape = kConstant,
                                                 .dither_on = DitherOn::kGradient});
  constexpr size_t kElements = 64;
  SequentialRandom random(Stream(3, Purpose::kProblem));
  DitherState state = make_dither_state(o, 1);
  std::vector<double> m(kElements);
  Loop seen;
  for (uint64_t t = 0; t < 500; ++t) {
    const double level = dither_level(o, t, 500);
    const double sigma = sigma_for(o, level, must_measure(o, level, state.rms[0]) ? 1.0 : state.rms[0]);
    double squares = 0;
    for (double& mi : m) {
      const double noisy = 1.0 + sigma * random.normal();
      mi = 0.9 * mi + 0.1 * noisy;
      squares += rms_holds_its_noise ? noisy * noisy : 1.0;
      seen.worst_momentum = std::max(seen.worst_momentum, std::abs(mi));
    }
    state.rms[0] = rms_of(squares, kElements);
    seen.worst_sigma = std::max(seen.worst_sigma, sigma);
  }
  return seen;
}

TEST(Dither, RelativeDitherOfTwiceTheRmsStaysBounded) {
  const Loop sound = constant_gradients(false);
  EXPECT_EQ(sound.worst_sigma, 2.0);
  EXPECT_LT(sound.worst_momentum, 5.0);
  EXPECT_GT(constant_gradients(true).worst_sigma, 1e9) << "the trap that the lagged noise-free rms avoids";
}

}  // namespace
}  // namespace signstep
