// SPDX-License-Identifier: Apache-2.0
// signstep::SignSGD as a torch::optim::Optimizer. Resuming has a file of its own.
#include "signstep/libtorch/sign_sgd.h"

#include "signstep/core/thread_pool.h"
#include "signstep/optim/optimizer.h"
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
    const UpdatePlan plan = make_update_plan(options);
    OptimizerState state = make_state(plan, 12007, 2);
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
      const StepReport report = optimizer_step(plan, state, slots, x, g, 1.0, pool);
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

TEST(SignSGD, GroupsHaveTheirOwnRateAndDecay) {
  at::Tensor a = leaf(torch::full({3}, 8.0)), b = leaf(torch::full({3}, 8.0));
  SignSGDOptions o = plain(kSignSgd, 0.5), slow = o;
  slow.rule.learning_rate = 0.25;
  slow.rule.decoupled_weight_decay = 0.5;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{a});
  groups.emplace_back(std::vector<at::Tensor>{b}, std::make_unique<SignSGDOptions>(slow));
  SignSGD optimizer(groups, o);
  set_gradient(a, torch::ones({3}));
  set_gradient(b, torch::ones({3}));
  optimizer.step();
  EXPECT_TRUE(a.equal(torch::full({3}, 7.5f)));
  EXPECT_TRUE(b.equal(torch::full({3}, 8 * (1 - 0.25f * 0.5f) - 0.25f)));
}

TEST(SignSGD, AfterTheSwitchAGroupRunsAtLambdaTimesItsRate) {
  at::Tensor a = leaf(torch::zeros({2})), b = leaf(torch::zeros({2})), frozen = leaf(torch::zeros({2}));
  SignSGDOptions o = plain(kSignum, 0.5), slow = o;
  o.switching = slow.switching = {.switch_when = SwitchWhen::kAt, .switch_step = 3, .switch_blend = 0};
  slow.rule.learning_rate = 0.125;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{a});
  groups.emplace_back(std::vector<at::Tensor>{b}, std::make_unique<SignSGDOptions>(slow));
  groups.emplace_back(std::vector<at::Tensor>{frozen});
  SignSGD optimizer(groups, o);
  optimizer.param_groups()[2].options().set_lr(0);
  at::Tensor before_a, before_b;
  for (int t = 0; t < 4; ++t) {
    before_a = a.detach().clone();
    before_b = b.detach().clone();
    for (at::Tensor* p : {&a, &b, &frozen}) set_gradient(*p, torch::full({2}, p == &frozen ? 100.0 : 2.0));
    optimizer.step();
  }
  // sqrt(nnz) / |m| of the tensors that move, for m = 2 (1 - 0.9^k): an average of 1 / m.
  const double lambda = *optimizer.report().switching.lambda, m3 = 2 * (1 - std::pow(0.9, 3)), m1 = 0.2;
  EXPECT_GT(lambda, 1 / m3);
  EXPECT_LT(lambda, 1 / m1);
  const double d = 2 * (1 - std::pow(0.9, 4));
  EXPECT_NEAR((before_a - a)[0].item<double>(), 0.5 * lambda * d, 1e-5);
  EXPECT_NEAR((before_b - b)[0].item<double>(), 0.125 * lambda * d, 1e-5);
  EXPECT_TRUE(frozen.equal(torch::zeros({2})));
}

TEST(SignSGD, AGroupOfOtherOptionsIsRefused) {
  at::Tensor a = leaf(torch::zeros({3}));
  SignSGDOptions o = plain(kSignum), other = o;
  other.rule.momentum = 0.5;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{a}, std::make_unique<SignSGDOptions>(other));
  EXPECT_THAT(message<OptionError>([&] { SignSGD(groups, o); }),
              HasSubstr("parameter group 0: momentum is 0.5, wanted 0.9; groups may differ in learning_rate"));
  std::vector<torch::optim::OptimizerParamGroup> foreign;
  foreign.emplace_back(std::vector<at::Tensor>{a}, std::make_unique<torch::optim::SGDOptions>(0.1));
  EXPECT_THAT(message<OptionError>([&] { SignSGD(foreign, o); }), HasSubstr("wanted signstep::SignSGDOptions"));
}

TEST(SignSGD, OptionsThatCannotBeAreRefused) {
  at::Tensor a = leaf(torch::zeros({3}));
  const auto error = [&](auto&& change) {
    SignSGDOptions o;
    change(o);
    return message<OptionError>([&] { SignSGD({a}, o); });
  };
  EXPECT_THAT(error([](auto& o) { o.rule.optimizer = kAdam; }), HasSubstr("optimizer is Adam; wanted a sign rule"));
  EXPECT_THAT(error([](auto& o) { o.rule.momentum = 1.5; }),
              HasSubstr("momentum is '1.5'; wanted auto or a number in [0, 1)"));
  EXPECT_THAT(error([](auto& o) { o.rule.learning_rate = -1; }), HasSubstr("learning_rate is '-1'"));
  EXPECT_THAT(error([](auto& o) { o.total_steps = -1; }), HasSubstr("total_steps is '-1'"));
  EXPECT_THAT(error([](auto& o) { o.dither.dither = DitherKind::kRelative; }), HasSubstr("total_steps is 0; wanted"));
  EXPECT_THAT(error([](auto& o) { o.switching.switch_when = SwitchWhen::kAuto; }),
              HasSubstr("total_steps is 0; wanted"));
  EXPECT_EQ(error([](auto& o) {
              o.dither = {.dither = DitherKind::kRelative, .dither_shape = DitherShape::kConstant};
              o.switching = {.switch_when = SwitchWhen::kAt, .switch_step = 100};
            }),
            "no error")
      << "nothing refers to the length of the run";
  EXPECT_THAT(message<OptionError>([&] { SignSGD({a, a}, {}); }), HasSubstr("parameter 1 was given before"));
  EXPECT_THAT(message<OptionError>([&] { SignSGD({torch::zeros({2}, torch::kLong)}, {}); }),
              HasSubstr("wanted a dense"));
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

TEST(SignSGD, GradientsAreOnlyRead) {
  torch::manual_seed(3);
  at::Tensor x = leaf(torch::randn({100})), y = leaf(torch::randn({100}, torch::kDouble));
  SignSGD optimizer({x, y}, everything());
  const at::Tensor g = torch::randn({100}), h = torch::randn({100}, torch::kDouble), g0 = g.clone(), h0 = h.clone();
  set_gradient(x, g);
  set_gradient(y, h);
  for (int t = 0; t < 15; ++t) optimizer.step();
  EXPECT_TRUE(x.grad().is_same(g) && g.equal(g0));
  EXPECT_TRUE(y.grad().is_same(h) && h.equal(h0));
}

TEST(SignSGD, SparseGradientsAreRefusedBeforeAnythingMoves) {
  at::Tensor dense = leaf(torch::ones({2})), table = leaf(torch::randn({10, 3}));
  SignSGD optimizer({dense, table}, plain(kSignum));
  set_gradient(dense, torch::ones({2}));
  torch::embedding(table, torch::tensor({1, 2}), -1, false, /*sparse=*/true).sum().backward();
  EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }),
              HasSubstr("parameter 1 has a sparse gradient; wanted a dense"));
  EXPECT_TRUE(dense.equal(torch::ones({2})));
  EXPECT_EQ(optimizer.steps(), 0u);
}

TEST(SignSGD, AGradientOfAnotherShapeIsRefused) {
  at::Tensor x = leaf(torch::ones({2, 3}));
  SignSGD optimizer({x}, plain(kSignum));
  x.mutable_grad() = torch::ones({3});  // which LibTorch does not look at
  EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }),
              HasSubstr("parameter 0 is of shape (2, 3) and its gradient of (3); wanted one shape"));
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

TEST(SignSGD, AModelMayBeConvertedMidway) {
  torch::nn::Linear model(3, 2);
  SignSGD optimizer(model->parameters(), plain(kSignum, 0.01));
  const auto step = [&](at::ScalarType type) {
    optimizer.zero_grad();
    model->forward(torch::ones({1, 3}, type)).sum().backward();
    optimizer.step();
  };
  step(torch::kFloat);
  model->to(torch::kDouble);
  step(torch::kDouble);
  EXPECT_EQ(optimizer.average(0).scalar_type(), torch::kDouble);
  EXPECT_NEAR(optimizer.average(0)[0][0].item<double>(), 0.19, 1e-7);
}

// Elements count in memory order: a channels-last weight steps as the flat array that it is.
TEST(SignSGD, ChannelsLastWeightsTakeTheKernels) {
  torch::manual_seed(4);
  const SignSGDOptions o = everything();
  const at::Tensor start = torch::randn({8, 3, 3, 4}), g = torch::randn({8, 3, 3, 4});
  at::Tensor flat = leaf(start.clone()), last = leaf(start.clone().permute({0, 3, 1, 2}));
  ASSERT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
  SignSGD a({flat}, o), b({last}, o);
  for (int t = 0; t < 20; ++t) {
    set_gradient(flat, g + t);
    set_gradient(last, (g + t).permute({0, 3, 1, 2}).contiguous());  // of another layout than its weight: put in order
    a.step();
    b.step();
    ASSERT_TRUE(last.permute({0, 2, 3, 1}).equal(flat)) << t;
    ASSERT_TRUE(b.average(0).permute({0, 2, 3, 1}).equal(a.average(0))) << t;
  }
}

// A column of a matrix is no dense tensor; without noise the steps are the same all the same.
TEST(SignSGD, StridedParametersStepAlike) {
  torch::manual_seed(5);
  const at::Tensor matrix = torch::randn({100, 3}), untouched = matrix.clone();
  at::Tensor column = leaf(matrix.select(1, 1)), dense = leaf(column.detach().clone());
  ASSERT_FALSE(column.is_non_overlapping_and_dense());
  SignSGD a({column}, plain(kLion, 0.01)), b({dense}, plain(kLion, 0.01));
  for (int t = 0; t < 20; ++t) {
    set_gradient(column, torch::randn({100}));
    set_gradient(dense, column.grad());
    a.step();
    b.step();
  }
  EXPECT_TRUE(column.equal(dense));
  EXPECT_TRUE(matrix.select(1, 0).equal(untouched.select(1, 0)));
}

TEST(SignSGD, AGradientThatIsAnExpandedNumber) {
  at::Tensor x = leaf(torch::zeros({4, 4}));
  SignSGD optimizer({x}, plain(kSignSgd));
  set_gradient(x, torch::full({}, -1.0f).expand({4, 4}));
  optimizer.step();
  EXPECT_TRUE(x.equal(torch::ones({4, 4})));
}

// LibTorch's own optimizers modify in place under autograd's eyes; so must the kernels.
TEST(SignSGD, AutogradNoticesTheStep) {
  at::Tensor x = leaf(torch::full({3}, 2.0f));
  SignSGD optimizer({x}, plain(kSignSgd, 0.5));
  const at::Tensor loss = (x * x).sum();
  loss.backward({}, /*retain_graph=*/true);
  optimizer.step();
  EXPECT_THAT(message<c10::Error>([&] { loss.backward(); }), HasSubstr("modified by an inplace operation"));
}

// Where exactly StepLR steps is LibTorch's affair; SGD under the same scheduler tells.
TEST(SignSGD, LibTorchsSchedulersDriveIt) {
  at::Tensor x = leaf(torch::zeros({3})), y = leaf(torch::zeros({3}));
  SignSGD optimizer({x}, plain(kSignSgd, 1));
  torch::optim::SGD sgd({y}, torch::optim::SGDOptions(1));
  torch::optim::StepLR ours(optimizer, 2, 0.5), theirs(sgd, 2, 0.5);
  for (int t = 0; t < 7; ++t) {
    for (at::Tensor* p : {&x, &y}) set_gradient(*p, torch::ones({3}));
    optimizer.step();
    sgd.step();
    ours.step();
    theirs.step();
    EXPECT_TRUE(x.equal(y)) << t;
  }
  EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.125);
  optimizer.param_groups()[0].options().set_lr(0);
  const at::Tensor before = x.detach().clone();
  optimizer.step();
  EXPECT_TRUE(x.equal(before)) << "0 is a rate, as at the start of a warm-up";
  optimizer.param_groups()[0].options().set_lr(-1);
  EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }),
              HasSubstr("learning_rate is -1; wanted a finite number"));
}

TEST(SignSGD, GroupsMayJoinLater) {
  at::Tensor a = leaf(torch::zeros({3})), b = leaf(torch::zeros({3}));
  SignSGDOptions o = everything();
  SignSGD optimizer({a}, o);
  set_gradient(a, torch::ones({3}));
  set_gradient(b, torch::ones({3}));
  optimizer.step();
  optimizer.add_param_group(torch::optim::OptimizerParamGroup({b}));
  for (int t = 0; t < 19; ++t) optimizer.step();
  EXPECT_FALSE(b.equal(torch::zeros({3})));
  optimizer.param_groups()[0].params().insert(optimizer.param_groups()[0].params().begin(), leaf(torch::zeros({1})));
  EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }), HasSubstr("parameter 0 is no longer the tensor"));

  o.switching.switch_scope = SwitchScope::kTensor;
  SignSGD by_tensor({a}, o);
  by_tensor.step();
  by_tensor.add_param_group(torch::optim::OptimizerParamGroup({b}));
  EXPECT_THAT(message<OptionError>([&] { by_tensor.step(); }), HasSubstr("switch_scope is tensor; wanted all of them"));
}

TEST(SignSGD, DescribedOptionsSetByName) {
  SignSGDOptions o;
  OptionList list;
  describe(list, o);
  list.set("optimizer", "lion");
  list.set("dither", "relative");
  list.set("total_steps", "100");
  EXPECT_EQ(o.rule.optimizer, kLion);
  EXPECT_EQ(o.total_steps, 100);
  EXPECT_EQ(resolved(o).get_lr(), 3e-4);
  EXPECT_THAT(message<OptionError>([&] { list.set("total_step", "1"); }), HasSubstr("did you mean 'total_steps'"));
}

}  // namespace
}  // namespace signstep
