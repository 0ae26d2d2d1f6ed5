// SPDX-License-Identifier: Apache-2.0
// The norm's kernels against LibTorch's in double, on a device, and without one by the library that runs them in loops
// on the CPU.
#include "signstep/engines/torch/fused_norm.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "signstep/engines/torch/torch_network.h"
#include "tests/cuda/device_array.h"

namespace signstep {
namespace {

at::Device place() {
  const char* const library = std::getenv("SIGNSTEP_CUDA_LIBRARY");
  const bool emulated = library != nullptr && std::string(library).find("emulated") != std::string::npos;
  return emulated ? at::kCPU : at::kCUDA;
}

class FusedNorm : public ::testing::Test {
 protected:
  void SetUp() override {
    skip_without_device();
    at::globalContext().setAllowTF32CuDNN(false);
    torch::manual_seed(3);
  }
};

at::Tensor leaf(const at::Tensor& t) { return t.detach().clone().requires_grad_(true); }
at::Tensor in_order(const at::Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); }

// |a - b| against their size.
double apart(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor one = a.detach().to(at::kCPU).to(at::kDouble), two = b.detach().to(at::kCPU).to(at::kDouble);
  return ((one - two).norm() / (two.norm() + 1e-30)).item<double>();
}

struct Problem {
  at::Tensor y, weight, bias, mean, variance, residual, dz;

  Problem(at::IntArrayRef shape, at::ScalarType type, bool adds, double offset) {
    const auto make = [&](at::IntArrayRef of) { return torch::randn(of); };
    y = in_order((make(shape) * 2 + offset).to(type));
    residual = adds ? in_order(make(shape).to(type)) : at::Tensor();
    dz = in_order(make(shape).to(type));
    weight = make({shape[1]});
    bias = make({shape[1]});
    mean = make({shape[1]});
    variance = make({shape[1]}).abs();
  }
};

struct Answer {
  at::Tensor z, dy, dweight, dbias, dresidual, mean, variance;
};

Answer by_definition(const Problem& p, bool rectified) {
  const auto wide = [](const at::Tensor& t) { return leaf(t.to(at::kDouble)); };
  const at::Tensor y = wide(p.y), weight = wide(p.weight), bias = wide(p.bias);
  const at::Tensor mean = p.mean.to(at::kDouble), variance = p.variance.to(at::kDouble);
  at::Tensor z = at::batch_norm(y, weight, bias, mean, variance, true, 0.1, 1e-5, false), residual;
  if (p.residual.defined()) z = z + (residual = wide(p.residual));
  if (rectified) z = z.relu();
  z.backward(p.dz.to(at::kDouble));
  return {z, y.grad(), weight.grad(), bias.grad(), residual.defined() ? residual.grad() : residual, mean, variance};
}

Answer by_kernels(const Problem& p, bool rectified) {
  const auto there = [](const at::Tensor& t) { return leaf(t.to(place())); };
  const at::Tensor y = there(p.y), weight = there(p.weight), bias = there(p.bias);
  const at::Tensor residual = p.residual.defined() ? there(p.residual) : at::Tensor();
  const at::Tensor mean = p.mean.to(place()).clone(), variance = p.variance.to(place()).clone();
  EXPECT_TRUE(fused_norm_takes(y, place().type()));
  const at::Tensor z = fused_norm({y, weight, bias, mean, variance, residual}, rectified);
  z.backward(p.dz.to(place()));
  return {z, y.grad(), weight.grad(), bias.grad(), residual.defined() ? residual.grad() : residual, mean, variance};
}

void expect_near(const Answer& a, const Answer& b, double tolerance, double of_sums) {
  EXPECT_LT(apart(a.z, b.z), tolerance);
  EXPECT_LT(apart(a.dy, b.dy), tolerance);
  EXPECT_LT(apart(a.dweight, b.dweight), of_sums);
  EXPECT_LT(apart(a.dbias, b.dbias), of_sums);
  if (b.dresidual.defined()) {
    EXPECT_LT(apart(a.dresidual, b.dresidual), tolerance);
  }
  EXPECT_LT(apart(a.mean, b.mean), of_sums);
  EXPECT_LT(apart(a.variance, b.variance), of_sums);
}

// Rows that end within a chunk and a lane, more chunks than one, channels that leave threads idle, and the most
// channels.
const std::vector<std::vector<int64_t>> kShapes = {{3, 8, 5, 7},   {2, 64, 8, 8},   {1, 16, 2, 2},   {5, 24, 4, 6},
                                                   {2, 512, 2, 2}, {2, 2048, 1, 3}, {9, 64, 17, 16}, {70, 8, 40, 41}};

TEST_F(FusedNorm, EqualsTheDefinition) {
  for (const auto& shape : kShapes)
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
      for (const bool adds : {false, true})
        for (const bool rectified : {false, true}) {
          const Problem problem(shape, type, adds, 0.5);
          SCOPED_TRACE(testing::Message() << shape[0] << " of " << shape[1] << " channels, " << at::toString(type)
                                          << (adds ? ", adds" : "") << (rectified ? ", rectified" : ""));
          expect_near(by_kernels(problem, rectified), by_definition(problem, rectified),
                      type == at::kFloat ? 3e-6 : 3e-3, 3e-6);
        }
}

// Squares of what is far from 0 would cancel.
TEST_F(FusedNorm, AMeanFarFromZeroCostsNoVariance) {
  const Problem problem({9, 64, 17, 16}, at::kFloat, false, 1000);
  expect_near(by_kernels(problem, true), by_definition(problem, true), 2e-4, 2e-4);
}

TEST_F(FusedNorm, TheSameBitsAgain) {
  const Problem problem({9, 64, 17, 16}, at::kBFloat16, true, 0);
  const Answer a = by_kernels(problem, true), b = by_kernels(problem, true);
  EXPECT_TRUE(a.z.equal(b.z));
  EXPECT_TRUE(a.dy.equal(b.dy));
  EXPECT_TRUE(a.dweight.equal(b.dweight));
  EXPECT_TRUE(a.dbias.equal(b.dbias));
}

TEST_F(FusedNorm, LeavesWhatItCannotTake) {
  const auto takes = [](const at::Tensor& t) { return fused_norm_takes(t.to(place()), place().type()); };
  const at::Tensor fits = in_order(torch::zeros({2, 8, 3, 3}));
  EXPECT_TRUE(takes(fits));
  EXPECT_FALSE(takes(torch::zeros({2, 8, 3, 3}))) << "another order";
  EXPECT_FALSE(takes(in_order(torch::zeros({2, 12, 3, 3})))) << "not a multiple of 8";
  EXPECT_FALSE(takes(in_order(torch::zeros({1, 8, 1, 1})))) << "one row has no variance";
  EXPECT_FALSE(takes(fits.to(at::kDouble)));
  EXPECT_FALSE(takes(torch::zeros({18, 8})));
  EXPECT_FALSE(fused_norm_takes(fits, at::kCUDA)) << "elsewhere";
}

// Every norm of a network with what follows it, shortcuts with and without a norm of their own included.
TEST_F(FusedNorm, ANetworkIsTheSameNetwork) {
  for (const char* const name : {"resnet18", "resnet20"}) {
    SCOPED_TRACE(name);
    const Network network = make_network({.name = name, .width = 16}, 3, 10);
    std::vector<at::Tensor> results[2];
    for (const bool fused : {false, true}) {
      torch::manual_seed(5);
      std::vector<at::Tensor> parameters, buffers;
      for (const TensorInfo& t : network.parameters) {
        const at::Tensor value = t.shape.size() == 1 ? torch::rand(t.shape) + 0.5 : torch::randn(t.shape) * 0.1;
        const at::Tensor made = t.shape.size() == 4 ? in_order(value) : value;
        parameters.push_back(made.to(place()).detach().requires_grad_(true));
      }
      for (const TensorInfo& t : network.buffers) buffers.push_back(torch::ones(t.shape).to(place()));
      const TorchNetwork net(network, parameters, buffers, fused ? place().type() : at::kMeta);
      const at::Tensor images = in_order(torch::randn({6, 3, 32, 32})).to(place());
      const at::Tensor logits = net.forward(images, true);
      results[fused] = torch::autograd::grad({logits.square().mean()}, net.parameters());
      results[fused].push_back(logits);
      results[fused].insert(results[fused].end(), buffers.begin(), buffers.end());
    }
    // Rounding makes at most 0.02 over twenty layers; a norm, an addition or a rectifier in the wrong place makes 0.1
    // and more in some tensor. Both sides alike to the bit would be one side twice.
    EXPECT_FALSE(results[1][0].equal(results[0][0])) << "nothing was fused";
    for (size_t i = 0; i < results[0].size(); ++i) EXPECT_LT(apart(results[1][i], results[0][i]), 0.1) << i;
  }
}

}  // namespace
}  // namespace signstep
