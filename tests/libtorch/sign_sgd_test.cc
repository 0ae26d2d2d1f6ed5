// SPDX-License-Identifier: Apache-2.0
// What a step of signstep::SignSGD does. Groups, options, tensors and resuming have files of their own.
#include "signstep/libtorch/sign_sgd.h"

#include "signstep/optim/optimizer.h"
#include "signstep/parallel/thread_pool.h"
#include "tests/libtorch/sign_sgd_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum OptimizerKind;

TEST(SignSGD, KnownAnswers) {
  const double gradients[] = {1, 1, -3, -1, 0, 0.5};
  const double expected[2][6] = {{-1, -2, -1, 0, 0, -1}, {-1, -2, -1, 0, 1, 2}};
  for (const at::ScalarType type : {torch::kFloat, torch::kDouble, torch::kBFloat16, torch::kHalf}) {
    for (const bool signum : {false, true}) {
      at::Tensor x = leaf(torch::zeros({5, 9}, type));
      SignSGD optimizer({x}, plain(signum ? kSignum : kSignSgd));
      for (int t = 0; t < 6; ++t) {
        set_gradient(x, torch::full({5, 9}, gradients[t], type));
        optimizer.step();
        EXPECT_TRUE(x.equal(torch::full({5, 9}, expected[signum][t], type))) << type << signum << t;
      }
      EXPECT_EQ(optimizer.average(0).defined(), signum) << "SignSGD keeps no state";
    }
  }
}

TEST(SignSGD, TheSwatsProjectionOfTheKnownGradient) {
  for (const at::ScalarType type : {torch::kFloat, torch::kDouble}) {
    at::Tensor x = leaf(torch::zeros({4}, type));
    SignSGDOptions o = plain(kSignSgd, 0.01);
    o.switching.switch_when = SwitchWhen::kAt;
    o.switching.switch_step = 1;
    o.switching.switch_projection = SwitchProjection::kSwats;
    o.switching.switch_direction = SwitchDirection::kGradient;
    o.switching.switch_blend = 0;
    SignSGD optimizer({x}, o);
    set_gradient(x, torch::tensor({3.0, -4.0, 0.0, 1.0}, type));
    optimizer.step();
    EXPECT_NEAR(*optimizer.report().switching.gamma, 0.00375, 1e-15);
    ASSERT_TRUE(optimizer.report().switching.event);
    // From the next step on SGD at 0.00375, d from cold: a tenth of the gradient.
    const at::Tensor before = x.detach().clone();
    optimizer.step();
    EXPECT_EQ(optimizer.report().phase, SwitchPhase::kSgd);
    EXPECT_TRUE(x.detach().allclose(before - 0.1 * 0.00375 * x.grad(), 1e-6, 1e-9));
  }
}

// The adapter adds nothing: the same bits as the trainer's span rules, dither and switch included.
TEST(SignSGD, StepsAsTheSpanRulesDo) {
  for (const OptimizerKind kind : {kSignSgd, kSignum, kLion}) {
    torch::manual_seed(1);
    const SignSGDOptions options = everything(kind);
    std::vector<at::Tensor> parameters = {leaf(torch::randn({300, 40})), leaf(torch::randn({7}))};
    const auto rule = make_sign_rule(make_update_plan(options));
    OptimizerState state = make_state(*rule, 12007, 2);
    std::vector<float> x(12007), g(12007);
    const std::vector<TensorSlot> slots = {{0, 12000}, {12000, 7}};
    const auto flatten = [&](std::vector<float>& out, bool gradients) {
      for (size_t i = 0; i < 2; ++i) {
        const at::Tensor t = gradients ? parameters[i].grad() : parameters[i];
        std::copy_n(t.data_ptr<float>(), slots[i].size, out.data() + slots[i].offset);
      }
    };
    flatten(x, false);
    SignSGD optimizer(parameters, options);
    ThreadPool pool(2);
    for (int t = 0; t < 20; ++t) {
      for (at::Tensor& p : parameters) set_gradient(p, torch::randn_like(p));
      parameters[0].mutable_grad()[5][5] = std::nan("");
      flatten(g, true);
      optimizer.step();
      const StepReport report = optimizer_step(*rule, state, slots, x, g, 1.0, pool);
      EXPECT_EQ(optimizer.report().switching.lambda, report.switching.lambda);
      EXPECT_EQ(optimizer.report().nonfinite, 1u);
      std::vector<float> seen(12007);
      flatten(seen, false);
      ASSERT_EQ(std::memcmp(seen.data(), x.data(), 4 * x.size()), 0) << display_name(kind) << " step " << t;
    }
    EXPECT_EQ(optimizer.report().phase, SwitchPhase::kSgd);
    EXPECT_EQ(optimizer.steps(), 20u);
  }
}

TEST(SignSGD, TheClosureRunsOnceWithAutograd) {
  at::Tensor x = leaf(torch::full({3}, 2.0f));
  SignSGD optimizer({x}, plain(kSignSgd, 0.5));
  int calls = 0;
  const at::NoGradGuard no_grad;
  const at::Tensor loss = optimizer.step([&] {
    ++calls;
    optimizer.zero_grad();
    at::Tensor out = (x * x).sum();
    out.backward();
    return out;
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(loss.item<float>(), 12);
  EXPECT_TRUE(x.equal(torch::full({3}, 1.5f)));
  EXPECT_FALSE(optimizer.step().defined());
}

TEST(SignSGD, ATensorWithoutAGradientSitsTheStepOut) {
  torch::manual_seed(2);
  // Whoever else is there, tensor 1 draws as tensor 1; the counter moves with every step.
  const auto run = [](bool first_has_gradient) {
    at::Tensor a = leaf(torch::ones({50})), b = leaf(torch::ones({50}));
    SignSGDOptions o = plain(kSignum, 0.5);
    o.rule.decoupled_weight_decay = 0.1;
    o.dither = {.dither = DitherKind::kAbsolute, .dither_level = 1.0, .dither_shape = DitherShape::kConstant};
    SignSGD optimizer({a, b}, o);
    for (int t = 0; t < 5; ++t) {
      if (first_has_gradient) set_gradient(a, torch::ones({50}));
      if (t % 2 == 0) {
        set_gradient(b, torch::ones({50}));
      } else {
        b.mutable_grad().reset();
      }
      optimizer.step();
    }
    EXPECT_EQ(optimizer.steps(), 5u);
    EXPECT_EQ(a.equal(torch::ones({50})), !first_has_gradient);
    EXPECT_EQ(optimizer.average(0).defined(), first_has_gradient);
    EXPECT_NEAR(optimizer.average(1)[0].item<double>(), 1 - std::pow(0.9, 3), 1e-6) << "m moved three times";
    return b;
  };
  EXPECT_TRUE(run(true).equal(run(false)));
}

TEST(SignSGD, SignSgdKeepsAnAverageOnlyFromCalibrationOn) {
  at::Tensor x = leaf(torch::ones({3}));
  SignSGD optimizer({x}, everything(kSignSgd));  // calibrates from step 2 of 20
  set_gradient(x, torch::ones({3}));
  for (int t = 0; t < 4; ++t) {
    EXPECT_EQ(optimizer.average(0).defined(), t > 2) << t;
    optimizer.step();
  }
}

}  // namespace
}  // namespace signstep
