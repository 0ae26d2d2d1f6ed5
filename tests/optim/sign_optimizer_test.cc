// SPDX-License-Identifier: Apache-2.0
// What a step of many tensors does for each of them: its own rate and decay, sitting out, what the switch sees.
#include "signstep/optim/sign_optimizer.h"

#include <limits>

#include "tests/optim/fixtures.h"

namespace signstep {
namespace {

struct Tensors {
  std::vector<std::vector<float>> x, g, m;
  std::vector<StepTensor> list() {
    std::vector<StepTensor> out(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      out[i].x = x[i].data();
      out[i].g = g[i].data();
      out[i].m = m[i].data();
      out[i].n = x[i].size();
    }
    return out;
  }
};

Tensors some_tensors() {
  Tensors t;
  for (uint64_t i = 0; i < 3; ++i) {
    t.x.push_back(normals(100 + i, i));
    t.g.push_back(normals(100 + i, 10 + i));
    t.m.push_back(normals(100 + i, 20 + i));
  }
  return t;
}

UpdatePlan signum(const DitherOptions& dither = {}, const SwitchOptions& switching = {}) {
  return make_update_plan({.optimizer = SignKind::kSignum}, dither, switching, 1, 100);
}

StepReport step(const UpdatePlan& plan, SignState& state, uint64_t t, std::vector<StepTensor> tensors,
                const std::vector<TensorRate>& rates) {
  SerialExecutor serial;
  KernelStepper kernels(serial);
  return sign_optimizer_step(plan, state, t, tensors, rates, kernels);
}

TEST(SignOptimizer, EachTensorStepsAtItsOwnRateAndDecay) {
  const UpdatePlan plan = signum();
  const std::vector<TensorRate> rates = {{0.1, 0}, {0.2, 0.5}, {0, 1}};
  Tensors together = some_tensors(), apart = some_tensors();
  SignState state = make_sign_state(plan, 3);
  step(plan, state, 0, together.list(), rates);
  for (size_t i = 0; i < 3; ++i) {
    SignState own = make_sign_state(plan, 1);
    std::vector<StepTensor> tensor = {apart.list()[i]};
    step(plan, own, 0, tensor, {rates[i]});
    EXPECT_EQ(together.x[i], apart.x[i]) << i;
    EXPECT_EQ(together.m[i], apart.m[i]) << i;
  }
  EXPECT_EQ(together.x[2], some_tensors().x[2]) << "rate 0";
  EXPECT_NE(together.m[2], some_tensors().m[2]) << "its average moves on";
}

// SignSGD keeps no average, and a caller may have one all the same.
TEST(SignOptimizer, AStepThatThrowsLeavesTheCallersTensorsAsTheyWere) {
  class Broken final : public Stepper {
   public:
    void sign(std::span<const StepTensor>, std::span<const SignStep>, std::span<StepStatistics>) override {
      throw EnvironmentError("no memory");
    }
    void measure(std::span<const StepTensor>, const SignStep&, std::span<StepStatistics>) override {}
    void sgd(std::span<const StepTensor>, std::span<const SgdPhaseStep>, std::span<StepStatistics>) override {}
  } broken;
  const UpdatePlan plan = make_update_plan({.optimizer = SignKind::kSignSgd}, {}, {}, 1, 100);
  Tensors own = some_tensors();
  std::vector<StepTensor> tensors = own.list();
  SignState state = make_sign_state(plan, 3);
  const std::vector<TensorRate> rates(3, {0.1, 0});
  EXPECT_THROW(sign_optimizer_step(plan, state, 0, tensors, rates, broken), EnvironmentError);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(tensors[i].m, own.m[i].data());
}

TEST(SignOptimizer, AnEmptyPlaceKeepsItsRmsAndMovesNoOneElsesDraws) {
  const UpdatePlan plan = signum({.dither = DitherKind::kRelative});
  const std::vector<TensorRate> rates(3, {0.1, 0});
  Tensors all = some_tensors(), some = some_tensors();
  SignState a = make_sign_state(plan, 3), b = make_sign_state(plan, 3);
  for (uint64_t t = 0; t < 4; ++t) {
    step(plan, a, t, all.list(), rates);
    std::vector<StepTensor> list = some.list();
    const double before = b.dither.rms[1];
    if (t % 2 == 1) list[1] = {};
    step(plan, b, t, list, rates);
    if (t % 2 == 1) {
      EXPECT_GT(before, 0);
      EXPECT_EQ(b.dither.rms[1], before);
    }
  }
  EXPECT_EQ(some.x[2], all.x[2]);
  EXPECT_EQ(b.dither.rms[2], a.dither.rms[2]);
  EXPECT_NE(some.x[1], all.x[1]);
}

// With finite gradients too: an average that overflowed.
TEST(SignOptimizer, TheFirstNonFiniteTensorIsNamed) {
  const UpdatePlan plan = signum();
  Tensors t = some_tensors();
  t.m[1][7] = t.m[2][3] = std::numeric_limits<float>::infinity();
  SignState state = make_sign_state(plan, 3);
  const StepReport report = step(plan, state, 0, t.list(), std::vector<TensorRate>(3, {0.1, 0}));
  EXPECT_EQ(report.nonfinite, 2u);
  EXPECT_EQ(report.first_nonfinite, 1u);
}

// A rule without momentum that is asked to keep d from a quarter of the run on does so, whatever it is called.
TEST(SignOptimizer, SignumWithoutMomentumTracksWhatSignSgdTracks) {
  const SwitchOptions o{.switch_when = SwitchWhen::kAt, .switch_at = 0.5, .switch_calibrate_from = 0.1};
  const auto run = [&](const SignOptions& rule) {
    const UpdatePlan plan = make_update_plan(rule, {}, o, 1, 100);
    SignState state = make_sign_state(plan, 3);
    Tensors t = some_tensors();
    for (auto& m : t.m) m.assign(m.size(), 0.0f);
    std::vector<double> gammas;
    for (uint64_t i = 0; i < 80; ++i) {
      for (uint64_t k = 0; k < 3; ++k) t.g[k] = normals(t.g[k].size(), 50 * i + k);
      EXPECT_EQ(moves_average(plan, state), i >= 10) << i;
      gammas.push_back(
          step(plan, state, i, t.list(), std::vector<TensorRate>(3, {0.01, 0})).switching.gamma.value_or(0));
    }
    EXPECT_NE(t.m[0][0], 0) << "d is kept";
    return std::tuple(gammas, t.x, t.m);
  };
  EXPECT_EQ(run({.optimizer = SignKind::kSignum, .momentum = 0.0}), run({.optimizer = SignKind::kSignSgd}));
}

TEST(SignOptimizer, ATensorAtRateZeroGivesNoEstimate) {
  const UpdatePlan plan = signum({}, {.switch_when = SwitchWhen::kAt, .switch_step = 50});
  const auto gamma = [&](const std::vector<TensorRate>& rates, size_t count) {
    Tensors t = some_tensors();
    SignState state = make_sign_state(plan, count);
    std::vector<StepTensor> list = t.list();
    list.resize(count);
    return step(plan, state, 0, list, rates).switching.gamma;
  };
  const auto two = gamma({{0.1, 0}, {0.1, 0}}, 2);
  ASSERT_TRUE(two);
  EXPECT_EQ(gamma({{0.1, 0}, {0.1, 0}, {0, 0}}, 3), two);
  EXPECT_NE(gamma({{0.1, 0}, {0.1, 0}, {0.1, 0}}, 3), two);
  EXPECT_EQ(gamma({{0, 0}, {0, 0}, {0, 0}}, 3), std::nullopt);
}

}  // namespace
}  // namespace signstep
