// SPDX-License-Identifier: Apache-2.0
// Layouts and types of parameters and gradients, and how autograd sees a step.
#include "tests/libtorch/sign_sgd_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using enum OptimizerKind;

TEST(SignSGDTensors, GradientsAreOnlyRead) {
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

TEST(SignSGDTensors, SparseGradientsAreRefusedBeforeAnythingMoves) {
  at::Tensor dense = leaf(torch::ones({2})), table = leaf(torch::randn({10, 3}));
  SignSGD optimizer({dense, table}, plain(kSignum));
  set_gradient(dense, torch::ones({2}));
  torch::embedding(table, torch::tensor({1, 2}), -1, false, /*sparse=*/true).sum().backward();
  EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }),
              HasSubstr("parameter 1 has a sparse gradient; wanted a dense"));
  EXPECT_TRUE(dense.equal(torch::ones({2})));
  EXPECT_EQ(optimizer.steps(), 0u);
}

TEST(SignSGDTensors, AParameterOfAnotherShapeIsRefusedBeforeAnythingMoves) {
  at::Tensor x = leaf(torch::ones({2})), y = leaf(torch::ones({2, 3}));
  SignSGD optimizer({x, y}, plain(kSignum));
  set_gradient(x, torch::ones({2}));
  set_gradient(y, torch::ones({2, 3}));
  optimizer.step();
  const at::Tensor before = x.detach().clone();
  for (const at::Tensor& other : {torch::ones({3, 2}), torch::ones({6}), torch::ones({2, 1}), torch::ones({40, 30})}) {
    y.set_data(other);
    y.mutable_grad() = torch::ones_like(other);
    EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }), HasSubstr("and its average of (2, 3), as it was"));
  }
  EXPECT_TRUE(x.equal(before));
  y.set_data(torch::ones({2, 3}));
  y.mutable_grad() = torch::ones({2, 3});
  optimizer.step();
  EXPECT_EQ(optimizer.steps(), 2u);
}

TEST(SignSGDTensors, AGradientOfAnotherShapeIsRefused) {
  at::Tensor x = leaf(torch::ones({2, 3}));
  SignSGD optimizer({x}, plain(kSignum));
  x.mutable_grad() = torch::ones({3});  // which LibTorch does not look at
  EXPECT_THAT(message<OptionError>([&] { optimizer.step(); }),
              HasSubstr("parameter 0 is of shape (2, 3) and its gradient of (3); wanted one shape"));
}

TEST(SignSGDTensors, AModelMayBeConvertedMidway) {
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
TEST(SignSGDTensors, ChannelsLastWeightsTakeTheKernels) {
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
TEST(SignSGDTensors, StridedParametersStepAlike) {
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

// The same with noise: on the CPU the draws of tensor operations are the kernels'.
TEST(SignSGDTensors, StridedParametersDrawAlike) {
  torch::manual_seed(6);
  const at::Tensor matrix = torch::randn({1000, 3});
  at::Tensor column = leaf(matrix.select(1, 1)), dense = leaf(column.detach().clone());
  SignSGDOptions o = plain(kSignum, 0.01);
  o.dither = {.dither = DitherKind::kAbsolute, .dither_level = 1.0, .dither_shape = DitherShape::kConstant};
  SignSGD a({column}, o), b({dense}, o);
  for (int t = 0; t < 20; ++t) {
    set_gradient(column, torch::randn({1000}));
    set_gradient(dense, column.grad());
    a.step();
    b.step();
  }
  EXPECT_TRUE(column.equal(dense));
}

// 1e-3 gave -0.0010000000474974513, and a decay of 1e-8 nothing in 10,000 steps.
TEST(SignSGDTensors, DoubleStepsAtDouble) {
  at::Tensor x = leaf(torch::zeros({3}, torch::kDouble)), y = leaf(torch::ones({3}, torch::kDouble));
  SignSGDOptions o = plain(kSignSgd, 1e-3);
  SignSGD optimizer({x}, o);
  set_gradient(x, torch::ones({3}, torch::kDouble));
  optimizer.step();
  EXPECT_EQ(x[0].item<double>(), -1e-3);
  o.rule.decoupled_weight_decay = 1e-5;
  SignSGD decaying({y}, o);
  set_gradient(y, torch::zeros({3}, torch::kDouble));
  for (int t = 0; t < 10'000; ++t) decaying.step();
  EXPECT_NEAR(y[0].item<double>(), 1 - 1e-4, 1e-8);
}

TEST(SignSGDTensors, AGradientThatIsAnExpandedNumber) {
  at::Tensor x = leaf(torch::zeros({4, 4}));
  SignSGD optimizer({x}, plain(kSignSgd));
  set_gradient(x, torch::full({}, -1.0f).expand({4, 4}));
  optimizer.step();
  EXPECT_TRUE(x.equal(torch::ones({4, 4})));
}

// LibTorch's own optimizers modify in place under autograd's eyes; so must the kernels.
TEST(SignSGDTensors, AutogradNoticesTheStep) {
  at::Tensor x = leaf(torch::full({3}, 2.0f));
  SignSGD optimizer({x}, plain(kSignSgd, 0.5));
  const at::Tensor loss = (x * x).sum();
  loss.backward({}, /*retain_graph=*/true);
  optimizer.step();
  EXPECT_THAT(message<c10::Error>([&] { loss.backward(); }), HasSubstr("modified by an inplace operation"));
}

}  // namespace
}  // namespace signstep
