// SPDX-License-Identifier: Apache-2.0
// Parameter groups: what they may differ in, when they may join.
#include "tests/libtorch/sign_sgd_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum OptimizerKind;

TEST(SignSGDGroups, GroupsHaveTheirOwnRateAndDecay) {
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

TEST(SignSGDGroups, AfterTheSwitchAGroupRunsAtLambdaTimesItsRate) {
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
  // sqrt(nnz) / |m| of the tensors that move, for m = 2 (1 - 0.9^k), against a warm one.
  const double lambda = *optimizer.report().switching.lambda;
  EXPECT_NEAR(lambda, 0.5, 1e-6);
  const double d = 2 * (1 - std::pow(0.9, 4));
  EXPECT_NEAR((before_a - a)[0].item<double>(), 0.5 * lambda * d, 1e-5);
  EXPECT_NEAR((before_b - b)[0].item<double>(), 0.125 * lambda * d, 1e-5);
  EXPECT_TRUE(frozen.equal(torch::zeros({2})));
}

TEST(SignSGDGroups, AGroupOfOtherOptionsIsRefused) {
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

TEST(SignSGDGroups, GroupsMayJoinLater) {
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
  EXPECT_THAT(message<OptionError>([&] { by_tensor.add_param_group(torch::optim::OptimizerParamGroup({b})); }),
              HasSubstr("switch_scope is tensor; wanted all of them"));
}

// param_groups() must not keep what every later step would refuse again.
TEST(SignSGDGroups, ARefusedGroupIsNotKept) {
  at::Tensor a = leaf(torch::zeros({3})), b = leaf(torch::zeros({3})), whole = torch::zeros({3}, torch::kLong);
  const SignSGDOptions o = plain(kSignum);
  SignSGD optimizer({a}, o);
  set_gradient(a, torch::ones({3}));
  SignSGDOptions other = o;
  other.rule.momentum = 0.5;
  const torch::optim::OptimizerParamGroup of_other_options({b}, std::make_unique<SignSGDOptions>(other));
  EXPECT_THAT(message<OptionError>([&] { optimizer.add_param_group(of_other_options); }),
              HasSubstr("parameter group 1: momentum is 0.5, wanted 0.9"));
  EXPECT_THAT(message<OptionError>([&] { optimizer.add_param_group(torch::optim::OptimizerParamGroup({a})); }),
              HasSubstr("parameter 1 was given before"));
  EXPECT_EQ(optimizer.param_groups().size(), 1u);
  optimizer.step();

  torch::optim::Optimizer& base = optimizer;  // whose add_param_group knows nothing of us
  base.add_param_group(of_other_options);
  base.param_groups()[0].params().push_back(whole);
  EXPECT_THROW(optimizer.step(), OptionError);
  EXPECT_EQ(optimizer.param_groups().size(), 1u);
  EXPECT_EQ(optimizer.param_groups()[0].params().size(), 1u);
  EXPECT_EQ(optimizer.steps(), 1u);
  base.add_param_group(torch::optim::OptimizerParamGroup({b}));
  optimizer.step();
  EXPECT_EQ(optimizer.steps(), 2u);
  EXPECT_EQ(optimizer.param_groups().size(), 2u);
}

// A step could not write it, and would find that out when the others had moved.
TEST(SignSGDGroups, AParameterThatOverlapsItselfIsRefused) {
  const at::Tensor expanded = torch::zeros({1}).expand({4}).requires_grad_();
  EXPECT_THAT(message<OptionError>([&] {
                SignSGD({leaf(torch::ones({3})), expanded}, plain(kSignum, 0.5));
              }),
              HasSubstr("parameter 1 has several elements in one place of memory"));
}

TEST(SignSGDGroups, WhatIsAutoIsTheOptimizers) {
  at::Tensor a = leaf(torch::ones({3}));
  SignSGDOptions o = plain(kSignum, 0.5);
  o.rule.momentum = 0.5;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{a}, std::make_unique<SignSGDOptions>(0.25));
  SignSGD optimizer(groups, o);
  const SignSGDOptions& seen = sign_sgd_options(optimizer.param_groups()[0]);
  EXPECT_EQ(seen.get_lr(), 0.25);
  EXPECT_EQ(seen.rule.decoupled_weight_decay, 0.0) << "not Signum's 0.05";
  EXPECT_EQ(seen.rule.momentum, 0.5);
  o.rule.decoupled_weight_decay = 0.5;
  SignSGD decaying({a}, o);
  sign_sgd_options(decaying.param_groups()[0]).rule.decoupled_weight_decay.reset();
  set_gradient(a, torch::zeros({3}));
  decaying.step();
  EXPECT_TRUE(a.equal(torch::full({3}, 0.75f))) << "not 0, which is no decay";
}

}  // namespace
}  // namespace signstep
