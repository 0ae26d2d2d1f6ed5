// SPDX-License-Identifier: Apache-2.0
// Options: what is refused, at construction and at a step, and how schedulers change the rate.
#include <limits>
#include <sstream>

#include "tests/libtorch/sign_sgd_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum OptimizerKind;

TEST(SignSGDOptions, OptionsThatCannotBeAreRefused) {
  at::Tensor a = leaf(torch::zeros({3}));
  const auto error = [&](auto&& change) {
    SignSGDOptions o;
    change(o);
    return message<OptionError>([&] { SignSGD({a}, o); });
  };
  EXPECT_THAT(error([](auto& o) { o.rule.momentum = 1.5; }),
              HasSubstr("momentum is '1.5'; wanted auto or a number in [0, 1)"));
  EXPECT_THAT(error([](auto& o) { o.rule.learning_rate = -1; }), HasSubstr("learning_rate is '-1'"));
  EXPECT_THAT(error([](auto& o) { o.seed = uint64_t{1} << 63; }), HasSubstr("wanted a whole number in [0, 2^63)"))
      << "its archive could not say it";
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
  EXPECT_THAT(message<OptionError>([&] { SignSGD({a, at::Tensor()}, {}); }), HasSubstr("parameter 1 is undefined"));
}

TEST(SignSGDOptions, DescribedOptionsSetByName) {
  SignSGDOptions o;
  OptionList list;
  describe(list, o);
  list.set("optimizer", "lion");
  list.set("dither", "relative");
  list.set("total_steps", "100");
  EXPECT_EQ(o.rule.optimizer, kLion);
  EXPECT_EQ(o.total_steps, 100);
  EXPECT_EQ(resolved(o).get_lr(), 3e-4);
  EXPECT_THAT(message<OptionError>([&] { list.set("optimizer", "adam"); }),
              HasSubstr("optimizer is 'adam'; wanted one of signsgd, signum, lion"));
  EXPECT_THAT(message<OptionError>([&] { list.set("total_step", "1"); }), HasSubstr("did you mean 'total_steps'"));
}

// Where exactly StepLR steps is LibTorch's affair; SGD under the same scheduler tells.
TEST(SignSGDOptions, LibTorchsSchedulersDriveIt) {
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

// Rate and decay are read at every step, so they are looked at there.
TEST(SignSGDOptions, RatesThatCannotBeAreRefusedBeforeAnythingMoves) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto error = [](double lr, std::optional<double> decay) {
    at::Tensor a = leaf(torch::ones({3})), b = leaf(torch::ones({3}, torch::kDouble));
    std::vector<torch::optim::OptimizerParamGroup> groups;
    groups.emplace_back(std::vector<at::Tensor>{a});
    groups.emplace_back(std::vector<at::Tensor>{b});
    SignSGD optimizer(groups, plain(kSignum, 0.5));
    for (at::Tensor* p : {&a, &b}) set_gradient(*p, torch::ones_like(*p));
    SignSGDOptions& o = sign_sgd_options(optimizer.param_groups()[1]);
    o.set_lr(lr);
    o.rule.decoupled_weight_decay = decay;
    const std::string out = message<OptionError>([&] { optimizer.step(); });
    if (out != "no error") {
      EXPECT_TRUE(a.equal(torch::ones({3})));
      EXPECT_FALSE(optimizer.average(0).defined());
      EXPECT_EQ(optimizer.steps(), 0u);
      std::ostringstream archive;
      EXPECT_THROW(torch::save(optimizer, archive), OptionError);
    }
    return out;
  };
  for (const double lr : {kNan, -1.0, 1e39})
    EXPECT_THAT(error(lr, 0.0), HasSubstr(fmt::format("parameter group 1: learning_rate is {}; wanted a finite", lr)));
  for (const double decay : {kNan, -3.0, std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(error(0, decay),
                HasSubstr(fmt::format("parameter group 1: decoupled_weight_decay is {}; wanted a finite", decay)));
  }
  EXPECT_THAT(error(1, 2.0), HasSubstr("learning_rate 1 times decoupled_weight_decay 2 is 2; wanted less than 1"));
  EXPECT_THAT(error(0.5, 2.0), HasSubstr("wanted less than 1"));
  EXPECT_EQ(error(0.5, 1.5), "no error");
  EXPECT_EQ(error(0, 1e9), "no error");
  SignSGDOptions o(1);
  o.rule.decoupled_weight_decay = 2.0;
  EXPECT_THAT(message<OptionError>([&] { SignSGD({leaf(torch::ones({3}))}, o); }),
              HasSubstr("decoupled_weight_decay is 2 at a rate of 1"));
}

// They were ignored, but saved, so that the archive told of another run.
TEST(SignSGDOptions, AnotherOptionChangedAfterConstructionIsRefused) {
  at::Tensor a = leaf(torch::ones({3}));
  SignSGD optimizer({a}, everything());
  set_gradient(a, torch::ones({3}));
  optimizer.step();
  const at::Tensor before = a.detach().clone();
  SignSGDOptions& o = sign_sgd_options(optimizer.param_groups()[0]);
  const SignSGDOptions right = o;
  const auto error = [&](auto&& change) {
    o = right;
    change();
    std::ostringstream archive;
    const std::string at_step = message<OptionError>([&] { optimizer.step(); });
    EXPECT_EQ(message<OptionError>([&] { torch::save(optimizer, archive); }), at_step);
    return at_step;
  };
  EXPECT_THAT(error([&] { o.rule.momentum = 0.1; }),
              HasSubstr("parameter group 0: momentum is 0.1, wanted 0.9; groups may differ in learning_rate and "
                        "decoupled_weight_decay, the rest is the optimizer's, as it was constructed"));
  EXPECT_THAT(error([&] { o.rule.momentum = std::nan(""); }), HasSubstr("momentum is nan, wanted 0.9"));
  EXPECT_THAT(error([&] { o.dither.dither_level = 2.0; }), HasSubstr("dither_level is 2, wanted 1"));
  EXPECT_THAT(error([&] { o.switching.switch_blend = 5; }), HasSubstr("switch_blend is 5, wanted 4"));
  EXPECT_THAT(error([&] { o.seed = 6; }), HasSubstr("seed is 6, wanted 5"));
  EXPECT_THAT(error([&] { o.total_steps = 30; }), HasSubstr("total_steps is 30, wanted 20"));
  EXPECT_TRUE(a.equal(before));
  EXPECT_EQ(optimizer.steps(), 1u);
  o = right;
  static_cast<SignSGDOptions&>(optimizer.defaults()).rule.momentum = 0.1;  // of groups to come
  optimizer.step();
  EXPECT_EQ(optimizer.steps(), 2u);
}

}  // namespace
}  // namespace signstep
