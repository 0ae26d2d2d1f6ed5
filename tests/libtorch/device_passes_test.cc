// SPDX-License-Identifier: Apache-2.0
// SignSGD on tensors of a device. Here the device is the host's memory and its kernels are loops (the library that
// SIGNSTEP_CUDA_LIBRARY names).
#include "signstep/libtorch/device_passes.h"

#include <cstdlib>
#include <string>

#include "tests/cuda/device_array.h"
#include "tests/libtorch/sign_sgd_fixtures.h"
#include "tests/support/environment.h"

namespace signstep {

struct SignSGDOnDevice {
  static void move(SignSGD& optimizer) { optimizer.devices_ = std::make_shared<DevicePasses>(at::kCPU); }
};

namespace {

using enum OptimizerKind;

class DevicePassesTest : public testing::Test {
 protected:
  void SetUp() override { skip_without_device(); }
};

// A weight in two layouts, a long one, a short one, an empty one.
std::vector<at::Tensor> parameters(at::ScalarType type = at::kFloat) {
  torch::manual_seed(7);
  std::vector<at::Tensor> all;
  for (const at::Tensor& t : {torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast),
                              torch::randn({5, 3}).t(), torch::randn({9001}), torch::randn({3}), torch::empty({0})})
    all.push_back(leaf(t.to(type)));
  return all;
}

void set_gradients(std::vector<at::Tensor>& parameters, int64_t step) {
  torch::manual_seed(100 + step);
  for (at::Tensor& p : parameters) {
    at::Tensor g = torch::randn(p.sizes()).to(p.scalar_type());
    if (p.numel() > 2) g.view(-1).narrow(0, 0, 2).fill_(step % 4 == 0 ? std::nanf("") : 0.0f);
    set_gradient(p, step % 2 == 0 ? g : torch::empty_like(p).copy_(g));
  }
}

std::vector<SignSGDOptions> settings() {
  std::vector<SignSGDOptions> all = {plain(kSignSgd, 0.01), SignSGDOptions(0.01), plain(kLion, 0.01),
                                     everything(kSignSgd),  everything(kSignum),  everything(kLion)};
  SignSGDOptions o(0.01);
  o.dither.dither = DitherKind::kMaximum;
  o.dither.dither_noise = DitherNoise::kUniform;
  o.total_steps = 20;
  all.push_back(o);
  o = SignSGDOptions(0.01);
  o.dither = {.dither = DitherKind::kAbsolute, .dither_level = 0.5, .dither_on = DitherOn::kPost};
  o.total_steps = 20;
  all.push_back(o);
  return all;
}

TEST_F(DevicePassesTest, RunsEndWithTheHostsBits) {
  for (const SignSGDOptions& o : settings()) {
    std::vector<at::Tensor> a = parameters(), b = parameters();
    SignSGD host(a, o), device(b, o);
    SignSGDOnDevice::move(device);
    for (int64_t t = 0; t < 20; ++t) {
      set_gradients(a, t);
      set_gradients(b, t);
      host.step();
      device.step();
      ASSERT_EQ(host.report().nonfinite, device.report().nonfinite) << t;
      ASSERT_EQ(host.report().phase, device.report().phase) << t;
      for (size_t i = 0; i < a.size(); ++i) {
        ASSERT_TRUE(a[i].equal(b[i])) << t << ' ' << i;
        ASSERT_TRUE(!host.average(i).defined() || host.average(i).equal(device.average(i))) << t << " " << i;
      }
    }
  }
}

// A step in float32 and one rounding to nearest: what tensor operations do with bf16 and half on the CPU.
TEST_F(DevicePassesTest, LowPrecisionStepsAreThoseOfTensorOperations) {
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    std::vector<at::Tensor> a = parameters(type), b = parameters(type);
    SignSGD operations(a, SignSGDOptions(0.01)), device(b, SignSGDOptions(0.01));
    SignSGDOnDevice::move(device);
    for (int64_t t = 0; t < 10; ++t) {
      set_gradients(a, t);
      set_gradients(b, t);
      operations.step();
      device.step();
      for (size_t i = 0; i < a.size(); ++i) ASSERT_TRUE(a[i].equal(b[i])) << type << ' ' << t << ' ' << i;
    }
    EXPECT_EQ(device.average(0).scalar_type(), at::kFloat);
  }
}

// A state goes from the host to the device and back in the middle of a run.
TEST_F(DevicePassesTest, ARunMayMove) {
  const SignSGDOptions o = everything();
  std::vector<at::Tensor> a = parameters(), b = parameters();
  SignSGD host(a, o), moved(b, o);
  for (int64_t t = 0; t < 20; ++t) {
    if (t == 4) SignSGDOnDevice::move(moved);
    set_gradients(a, t);
    set_gradients(b, t);
    host.step();
    moved.step();
  }
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << i;
}

// Each replay would be the same step; nothing has moved, on the host neither.
TEST_F(DevicePassesTest, AStepIsNotCaptured) {
  at::Tensor x = leaf(torch::ones({4}));
  SignSGD optimizer({x}, plain(kSignum));
  SignSGDOnDevice::move(optimizer);
  set_gradient(x, torch::ones({4}));
  {
    const EnvironmentVariable capture("SIGNSTEP_EMULATED_CAPTURE", "1");
    EXPECT_THROW(optimizer.step(), OptionError);
  }
  EXPECT_TRUE(x.equal(torch::ones({4})));
  optimizer.step();
  EXPECT_FALSE(x.equal(torch::ones({4})));
}

TEST_F(DevicePassesTest, AutogradNotices) {
  at::Tensor x = leaf(torch::ones({4}));
  SignSGD optimizer({x}, plain(kSignum));
  SignSGDOnDevice::move(optimizer);
  const at::Tensor y = (x * x).sum();
  set_gradient(x, torch::ones({4}));
  optimizer.step();
  EXPECT_THROW(y.backward(), c10::Error);
}

// The same on a real device, by the library for it.
TEST(DevicePasses, CudaTensorsEndWithTheHostsBits) {
  const char* library = std::getenv("SIGNSTEP_CUDA_LIBRARY");
  if (library == nullptr || std::string(library).find("emulated") != std::string::npos)
    GTEST_SKIP() << "the kernels are loops over the host's memory";
  if (!torch::cuda::is_available()) {
    ASSERT_EQ(std::getenv("SIGNSTEP_CUDA_REQUIRED"), nullptr) << "LibTorch sees no CUDA device";
    GTEST_SKIP() << "LibTorch sees no CUDA device";
  }
  for (const SignSGDOptions& o : settings()) {
    std::vector<at::Tensor> a = parameters(), b;
    for (const at::Tensor& p : a) b.push_back(leaf(p.detach().to(at::kCUDA)));
    ASSERT_TRUE(DevicePasses().takes(b[0]));
    SignSGD host(a, o), device(b, o);
    for (int64_t t = 0; t < 20; ++t) {
      set_gradients(a, t);
      for (size_t i = 0; i < a.size(); ++i) set_gradient(b[i], a[i].grad().to(at::kCUDA));
      host.step();
      device.step();
      for (size_t i = 0; i < a.size(); ++i) ASSERT_TRUE(a[i].equal(b[i].cpu())) << t << ' ' << i;
    }
  }
}

TEST_F(DevicePassesTest, TakesWhatTheKernelsCan) {
  DevicePasses here(at::kCPU), cuda;
  const at::Tensor matrix = torch::zeros({4, 4});
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) EXPECT_TRUE(here.takes(matrix.to(type)));
  EXPECT_TRUE(here.takes(matrix.t()));
  EXPECT_FALSE(here.takes(matrix.to(at::kDouble)));
  EXPECT_FALSE(here.takes(matrix.select(1, 1)));
  EXPECT_FALSE(cuda.takes(matrix));
}

}  // namespace
}  // namespace signstep
