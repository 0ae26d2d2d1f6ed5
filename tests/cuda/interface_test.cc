// SPDX-License-Identifier: Apache-2.0
// signstep.h on a device: whole runs, with dither, switch and sums, that end with the CPU's bits.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <memory>

#include "tests/c/c_fixtures.h"
#include "tests/cuda/device_array.h"
#include "tests/support/environment.h"

namespace signstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class DeviceInterface : public DeviceTest {};

struct FreeCuda {
  void operator()(signstep_cuda* cuda) const { signstep_cuda_free(cuda); }
};
using CudaPointer = std::unique_ptr<signstep_cuda, FreeCuda>;

CudaPointer make_cuda() {
  signstep_cuda* out = nullptr;
  EXPECT_EQ(signstep_cuda_new(0, &out), SIGNSTEP_OK) << signstep_last_error();
  return CudaPointer(out);
}

const std::vector<size_t> kSizes = {70, 0, 9000, 1};
constexpr uint64_t kSeed = 5;

// A run whose tensors [0, on_cpu) are the CPU's and the others the device's.
class SteppedRun {
 public:
  SteppedRun(const std::string& options, size_t on_cpu)
      : optimizer(make_optimizer(options, kSizes.size())), cuda_(make_cuda()), on_cpu_(on_cpu), gradients_(2) {}

  signstep_report step() {
    for (auto& g : arrays.g) gradients_.fill(g);
    arrays.g[2][17] = std::nanf("");
    arrays.g[2][4100] = 0;
    std::vector<signstep_tensor> tensors = arrays.tensors(1e-3, 0.05);
    std::vector<signstep_cuda_tensor> there(tensors.size());
    std::vector<std::unique_ptr<DeviceArray<float>>> memory;
    const uint32_t buffers = signstep_optimizer_buffers(optimizer.get());
    for (size_t i = on_cpu_; i < tensors.size(); ++i) {
      for (const auto* values : {&arrays.x, &arrays.g, &arrays.m, &arrays.maximum})
        memory.push_back(std::make_unique<DeviceArray<float>>((*values)[i]));
      const auto array = [&](size_t k) { return memory[memory.size() - 4 + k]->data(); };
      there[i] = {array(0),     array(1), array(2), (buffers & SIGNSTEP_MAXIMUM) ? array(3) : nullptr,
                  tensors[i].n, 0,        0,        0};
      tensors[i].x = nullptr;
    }
    signstep_cuda_step context{cuda_.get(), there.data(), there.size(), nullptr, {kSeed, 0, 0, 0}};
    signstep_report report{};
    EXPECT_EQ(signstep_optimizer_step(optimizer.get(), tensors.data(), tensors.size(), signstep_cuda_passes, &context,
                                      &report),
              SIGNSTEP_OK)
        << signstep_last_error();
    for (size_t i = on_cpu_; i < tensors.size(); ++i) {
      auto* const at = &memory[4 * (i - on_cpu_)];
      arrays.x[i] = at[0]->values();
      arrays.m[i] = at[2]->values();
      arrays.maximum[i] = at[3]->values();
    }
    return report;
  }

  OptimizerPointer optimizer;
  Arrays arrays{kSizes, 1};

 private:
  CudaPointer cuda_;
  size_t on_cpu_;
  TraceNumbers gradients_;
};

const char* const kRuns[] = {
    R"({"optimizer": "signsgd", "seed": 5, "zero": "random"})",
    R"({"optimizer": "signum", "dither": "relative", "switch_when": "at", "switch_step": 8, "switch_blend": 4, "seed": 5, "total_steps": 30})",
    R"({"optimizer": "lion", "dither": "absolute", "dither_level": 0.5, "seed": 5, "total_steps": 30})",
    R"({"optimizer": "signum", "dither": "maximum", "dither_noise": "uniform", "dither_shape": "constant", "seed": 5})",
    R"({"optimizer": "signum", "dither": "relative", "dither_on": "gradient", "seed": 5, "total_steps": 30})",
    R"({"optimizer": "signum", "switch_when": "at", "switch_step": 5, "switch_blend": 0, "switch_scope": "tensor", "switch_decay": "l2", "total_steps": 30})",
};

TEST_F(DeviceInterface, ARunOnTheDeviceHasTheBitsOfTheCpus) {
  for (const char* options : kRuns) {
    SCOPED_TRACE(options);
    SteppedRun cpu(options, kSizes.size()), device(options, 0), mixed(options, 1);
    for (int t = 0; t < 20; ++t) {
      const signstep_report want = cpu.step(), got = device.step();
      mixed.step();
      EXPECT_EQ(want.nonfinite, got.nonfinite);
      EXPECT_EQ(want.first_nonfinite, got.first_nonfinite);
      EXPECT_EQ(want.phase, got.phase);
    }
    for (const SteppedRun* run : {&device, &mixed}) {
      EXPECT_TRUE(same_bits(cpu.arrays.x, run->arrays.x));
      EXPECT_TRUE(same_bits(cpu.arrays.m, run->arrays.m));
      EXPECT_TRUE(same_bits(cpu.arrays.maximum, run->arrays.maximum));
      EXPECT_EQ(state_of(cpu.optimizer), state_of(run->optimizer));
    }
  }
}

TEST_F(DeviceInterface, ARunGoesOnWhereTheOtherSideStopped) {
  for (const char* options : kRuns) {
    SCOPED_TRACE(options);
    SteppedRun cpu(options, kSizes.size()), first(options, kSizes.size()), second(options, 0);
    for (int t = 0; t < 10; ++t) {
      cpu.step();
      first.step();
      second.step();  // for the same gradients afterwards; what it holds is replaced
    }
    ASSERT_EQ(signstep_optimizer_restore(second.optimizer.get(), state_of(first.optimizer).c_str()), SIGNSTEP_OK);
    second.arrays = first.arrays;
    for (int t = 0; t < 10; ++t) {
      cpu.step();
      second.step();
    }
    EXPECT_TRUE(same_bits(cpu.arrays.x, second.arrays.x));
    EXPECT_TRUE(same_bits(cpu.arrays.m, second.arrays.m));
    EXPECT_EQ(state_of(cpu.optimizer), state_of(second.optimizer));
  }
}

TEST_F(DeviceInterface, BitsAreThoseOfTheCpu) {
  const uint64_t n = 1000, words = signstep_words(n);
  std::vector<float> values(n);
  TraceNumbers(3).fill(values);
  values[3] = 0, values[40] = std::nanf("");
  const signstep_draw draw{7, 8, 9, 10};
  std::vector<uint64_t> want(words);
  uint64_t count = 0;
  ASSERT_EQ(signstep_pack(values.data(), n, SIGNSTEP_ZERO_RANDOM, &draw, want.data(), &count), SIGNSTEP_OK);
  const DeviceArray<float> there(values);
  const DeviceArray<uint64_t> packed(std::vector<uint64_t>(words, 1)), nonfinite({0});
  ASSERT_EQ(signstep_cuda_pack(0, nullptr, there.data(), SIGNSTEP_FLOAT32, n, SIGNSTEP_ZERO_RANDOM, &draw,
                               packed.data(), nonfinite.data()),
            SIGNSTEP_OK)
      << signstep_last_error();
  EXPECT_EQ(packed.values(), want);
  EXPECT_EQ(nonfinite.values()[0], count);

  std::vector<float> stepped = values;
  ASSERT_EQ(signstep_apply(want.data(), n, 0.1, 0.9, stepped.data()), SIGNSTEP_OK);
  ASSERT_EQ(signstep_cuda_apply(0, nullptr, packed.data(), n, 0.1, 0.9, there.data()), SIGNSTEP_OK);
  const std::vector<float> stepped_there = there.values();
  for (size_t i = 0; i < n; ++i)
    EXPECT_TRUE(i == 40 ? std::isnan(stepped_there[i]) : stepped_there[i] == stepped[i]) << i;
  std::vector<float> signs(n);
  ASSERT_EQ(signstep_unpack(want.data(), n, signs.data()), SIGNSTEP_OK);
  ASSERT_EQ(signstep_cuda_unpack(0, nullptr, packed.data(), n, there.data()), SIGNSTEP_OK);
  EXPECT_EQ(there.values(), signs);

  std::vector<uint64_t> votes = want;
  votes.insert(votes.end(), want.rbegin(), want.rend());
  std::vector<uint64_t> majority(words);
  ASSERT_EQ(signstep_majority(votes.data(), 2, words, SIGNSTEP_TIE_RANDOM, &draw, 3, majority.data()), SIGNSTEP_OK);
  const DeviceArray<uint64_t> votes_there(votes);
  ASSERT_EQ(
      signstep_cuda_majority(0, nullptr, votes_there.data(), 2, words, SIGNSTEP_TIE_RANDOM, &draw, 3, packed.data()),
      SIGNSTEP_OK);
  EXPECT_EQ(packed.values(), majority);
}

std::string obstacle(uint32_t device) {
  char text[1000];
  size_t needed = 0;
  return signstep_cuda_obstacle(device, text, sizeof text, &needed) == SIGNSTEP_OK
             ? text
             : fmt::format("failed: {}", signstep_last_error());
}

// The loops' device alone does what these variables say.
bool device_is_emulated() {
  const EnvironmentVariable refusal("SIGNSTEP_EMULATED_CODE", "209");
  return !obstacle(0).empty();
}

// A device that nothing was compiled for is left to who has another way, and memory that ran out is not.
TEST_F(DeviceInterface, ADeviceWithoutCodeIsNamed) {
  ASSERT_EQ(obstacle(0), "");
  EXPECT_THAT(obstacle(4000), HasSubstr("device is 4000; wanted 0 to "));
  if (!device_is_emulated()) return;  // the kernels have code for this device; a skip would be that of all tests
  signstep_cuda* none = nullptr;
  {
    const EnvironmentVariable refusal("SIGNSTEP_EMULATED_CODE", "209");
    EXPECT_THAT(obstacle(0), AllOf(HasSubstr("device 0, of sm_61"), HasSubstr("-DSIGNSTEP_CUDA_ARCHITECTURES=61")));
    EXPECT_EQ(signstep_cuda_new(0, &none), SIGNSTEP_ENVIRONMENT);
    EXPECT_EQ(signstep_last_error(), obstacle(0));
  }
  {
    const EnvironmentVariable refusal("SIGNSTEP_EMULATED_CODE", "2");
    EXPECT_THAT(obstacle(0),
                HasSubstr("failed: CUDA failed at loading the kernels on device 0: out of memory (code 2)"));
  }
  EXPECT_EQ(obstacle(0), "");
}

// A replay would be the same step again: what reads its step at once refuses to be captured, before anything has moved.
TEST_F(DeviceInterface, AStepIsNotCaptured) {
  if (!device_is_emulated()) return;  // the package's tests capture there
  const CudaPointer cuda = make_cuda();
  const DeviceArray<float> x(std::vector<float>(4, 1.0f)), g(std::vector<float>(4, 1.0f));
  const signstep_cuda_tensor tensor{x.data(), g.data(), nullptr, nullptr, 4, 0, 0, 0};
  signstep_pass pass{};
  pass.lr = 0.5, pass.decay_factor = 1;
  signstep_statistics statistics{};
  signstep_cuda_step step{cuda.get(), &tensor, 1, nullptr, {}};
  const EnvironmentVariable refusal("SIGNSTEP_EMULATED_CAPTURE", "1");
  EXPECT_EQ(signstep_cuda_passes(&step, &pass, 1, &statistics), SIGNSTEP_OPTION);
  EXPECT_THAT(signstep_last_error(), HasSubstr("captured into a CUDA graph"));
  EXPECT_EQ(x.values(), std::vector<float>(4, 1.0f));
  EXPECT_EQ(signstep_cuda_set(cuda.get(), &tensor, 1, &pass, 1, nullptr), SIGNSTEP_OK);
  EXPECT_EQ(signstep_cuda_launch(cuda.get(), nullptr), SIGNSTEP_OK);  // which may be
}

// An error that stayed behind would be told of the next launch, which has moved its tensors.
TEST_F(DeviceInterface, AnErrorIsToldOnce) {
  if (device_is_emulated()) GTEST_SKIP() << "the loops' device takes any number";
  const DeviceArray<float> x(std::vector<float>(64, 1.0f));
  const DeviceArray<uint64_t> words(std::vector<uint64_t>{5});
  EXPECT_EQ(signstep_cuda_unpack(4000, nullptr, words.data(), 64, x.data()), SIGNSTEP_ENVIRONMENT);
  EXPECT_EQ(signstep_cuda_unpack(0, nullptr, words.data(), 64, x.data()), SIGNSTEP_OK) << signstep_last_error();
}

// What is wrong is found before anything is launched, and says so through signstep_optimizer_step too.
TEST_F(DeviceInterface, WrongArgumentsAreNamed) {
  uint32_t devices = 0;
  ASSERT_EQ(signstep_cuda_devices(&devices), SIGNSTEP_OK);
  EXPECT_GE(devices, 1u);
  signstep_cuda* none = nullptr;
  EXPECT_EQ(signstep_cuda_new(4000, &none), SIGNSTEP_OPTION);
  EXPECT_NE(std::string(signstep_last_error()).find("device is 4000"), std::string::npos) << signstep_last_error();
  const CudaPointer cuda = make_cuda();
  EXPECT_EQ(signstep_cuda_launch(cuda.get(), nullptr), SIGNSTEP_OPTION);

  const DeviceArray<float> x(std::vector<float>(4, 1.0f));
  signstep_cuda_tensor tensor{x.data(), x.data(), nullptr, nullptr, 4, 0, 0, 0};
  signstep_pass pass{};
  pass.decay_factor = 1;
  const auto expect_refused = [&](const char* what) {
    EXPECT_EQ(signstep_cuda_set(cuda.get(), &tensor, 1, &pass, 1, nullptr), SIGNSTEP_OPTION) << what;
    EXPECT_NE(std::string(signstep_last_error()).find(what), std::string::npos) << signstep_last_error();
  };
  pass.kind = 3;
  expect_refused("of kind 3");
  pass.kind = SIGNSTEP_PASS_SIGN, pass.tensor = 1;
  expect_refused("of tensor 1");
  pass.tensor = 0, tensor.g = nullptr;
  expect_refused("g is NULL");
  tensor.g = x.data(), tensor.x_type = 9;
  expect_refused("x_type is 9");
  tensor.x_type = SIGNSTEP_BFLOAT16, tensor.stochastic = 1;
  expect_refused("rounding is NULL");
  tensor.x_type = 0, pass.arrays = SIGNSTEP_M, pass.b1 = pass.b2 = 0.9;
  expect_refused("m is NULL");
  pass.arrays = SIGNSTEP_MAXIMUM, pass.b1 = pass.b2 = 0;
  expect_refused("maximum is NULL");
  pass.arrays = 0, pass.b1 = pass.b2 = 0, pass.zero = 7;
  expect_refused("zero of a pass is 7");
  tensor.n = uint64_t{1} << 34, pass.zero = 0;
  expect_refused("wanted fewer than 2^34");

  OptimizerPointer optimizer = make_optimizer("{}", 1);
  tensor.n = 4, tensor.g = nullptr;
  signstep_cuda_step context{cuda.get(), &tensor, 1, nullptr, {0, 0, 0, 0}};
  const signstep_tensor foreign{nullptr, nullptr, nullptr, nullptr, 4, 0.1, 0};
  EXPECT_EQ(signstep_optimizer_step(optimizer.get(), &foreign, 1, signstep_cuda_passes, &context, nullptr),
            SIGNSTEP_CALLBACK);
  EXPECT_NE(std::string(signstep_last_error()).find("g is NULL"), std::string::npos) << signstep_last_error();
}

}  // namespace
}  // namespace signstep
