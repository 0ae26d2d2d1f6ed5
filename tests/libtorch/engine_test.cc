// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "signstep/core/error.h"
#include "signstep/core/random.h"
#include "signstep/libtorch/resnet.h"
#include "signstep/libtorch/torch_engine.h"

namespace signstep {
namespace {

Batch random_batch(size_t count, int channels, int classes, uint64_t seed = 3) {
  Batch batch{.count = count, .height = 32, .width = 32, .channels = channels, .images = {}, .labels = {}};
  SequentialRandom random(Stream(seed, Purpose::kProblem));
  batch.images.resize(count * 32 * 32 * static_cast<size_t>(channels));
  for (float& x : batch.images) x = static_cast<float>(random.normal());
  for (size_t i = 0; i < count; ++i) batch.labels.push_back(random.below(static_cast<uint32_t>(classes)));
  return batch;
}

std::unique_ptr<Engine> engine_of(const NetworkOptions& network, Precision precision = Precision::kFp32) {
  auto engine = make_torch_engine(resnet18_shape(network, 3, 10), {.precision = precision, .threads = 1});
  initialize(engine->shape(), 1, engine->values(), engine->buffers());
  return engine;
}

std::vector<float> copy(std::span<const float> s) { return {s.begin(), s.end()}; }

class EngineTest : public testing::TestWithParam<std::pair<NormKind, Precision>> {};

TEST_P(EngineTest, LearnsOneBatchByHeart) {
  const auto engine = engine_of({.width = 16, .norm = GetParam().first}, GetParam().second);
  const Batch batch = random_batch(16, 3, 10);
  const double first = engine->forward_backward(batch).loss;
  for (int step = 0; step < 30; ++step) {
    engine->forward_backward(batch);
    for (size_t i = 0; i < engine->values().size(); ++i) engine->values()[i] -= 0.1f * engine->gradients()[i];
  }
  const BatchResult last = engine->forward_backward(batch);
  EXPECT_LT(last.loss, 0.3 * first);
  EXPECT_GE(last.correct, 14u);
}

TEST_P(EngineTest, TheSameBatchGivesTheSameBits) {
  const auto a = engine_of({.width = 16, .norm = GetParam().first}, GetParam().second);
  const auto b = engine_of({.width = 16, .norm = GetParam().first}, GetParam().second);
  const Batch batch = random_batch(32, 3, 10);
  EXPECT_EQ(a->forward_backward(batch).loss, b->forward_backward(batch).loss);
  EXPECT_EQ(copy(a->gradients()), copy(b->gradients()));
  EXPECT_EQ(copy(a->buffers()), copy(b->buffers()));
}

TEST_P(EngineTest, EvaluationLeavesEverythingAlone) {
  const auto engine = engine_of({.width = 16, .norm = GetParam().first}, GetParam().second);
  const Batch batch = random_batch(16, 3, 10);
  engine->forward_backward(batch);
  const auto values = copy(engine->values()), gradients = copy(engine->gradients()), buffers = copy(engine->buffers());
  const BatchResult once = engine->evaluate(batch), again = engine->evaluate(batch);
  EXPECT_EQ(once.loss, again.loss);
  EXPECT_EQ(copy(engine->values()), values);
  EXPECT_EQ(copy(engine->gradients()), gradients);
  EXPECT_EQ(copy(engine->buffers()), buffers);
}

INSTANTIATE_TEST_SUITE_P(All, EngineTest,
                         testing::Values(std::pair(NormKind::kBatch, Precision::kFp32),
                                         std::pair(NormKind::kGroup, Precision::kFp32),
                                         std::pair(NormKind::kBatch, Precision::kBf16)));

// Central differences in directions of each tensor: an implementation-free check of the whole backward pass.
TEST(Engine, GradientsAreTheSlopesOfTheLoss) {
  const auto engine = engine_of({.width = 4, .norm = NormKind::kGroup});
  const Batch batch = random_batch(4, 3, 10);
  engine->forward_backward(batch);
  const auto gradient = copy(engine->gradients());
  for (const char* name : {"conv1.weight", "layer2.0.downsample.0.weight", "layer3.1.bn2.bias", "fc.weight", "fc.bias"}) {
    for (const TensorInfo& t : engine->shape().parameters) {
      if (t.name != name) continue;
      double norm = 0;
      for (size_t i = 0; i < t.size; ++i) norm += std::pow(gradient[t.offset + i], 2);
      norm = std::sqrt(norm);
      const auto shifted = [&](double h) {
        for (size_t i = 0; i < t.size; ++i) engine->values()[t.offset + i] += static_cast<float>(h * gradient[t.offset + i] / norm);
        const double loss = engine->evaluate(batch).loss;
        for (size_t i = 0; i < t.size; ++i) engine->values()[t.offset + i] -= static_cast<float>(h * gradient[t.offset + i] / norm);
        return loss;
      };
      constexpr double h = 4e-4;
      EXPECT_NEAR((shifted(h) - shifted(-h)) / (2 * h), norm, 0.03 * norm + 1e-3) << name;
    }
  }
}

// The seam's flat view and the network's own tensors are the same numbers, and padding never gets a gradient.
TEST(Engine, GapsBetweenTensorsStayZero) {
  const auto engine = engine_of({.width = 4});
  engine->forward_backward(random_batch(8, 3, 10));
  std::vector<bool> used(engine->values().size());
  for (const TensorInfo& t : engine->shape().parameters)
    for (size_t i = 0; i < t.size; ++i) used[t.offset + i] = true;
  for (size_t i = 0; i < used.size(); ++i) {
    ASSERT_TRUE(used[i] || engine->gradients()[i] == 0.0f) << i;
  }
}

TEST(Engine, OneInputChannelWorks) {
  const auto engine = make_torch_engine(resnet18_shape({.width = 8}, 1, 10), {.threads = 1});
  initialize(engine->shape(), 1, engine->values(), engine->buffers());
  EXPECT_NEAR(engine->forward_backward(random_batch(32, 1, 10)).loss, std::log(10.0), 1.0);
}

TEST(Engine, RunningStatisticsMoveByATenth) {
  const auto engine = engine_of({.width = 4});
  const Batch batch = random_batch(8, 3, 10);
  engine->forward_backward(batch);
  const TensorInfo& mean = engine->shape().buffers.at(0);
  ASSERT_EQ(mean.name, "bn1.running_mean");
  // The stem's batch mean by hand: convolve with the weights at the values that were used.
  const auto engine2 = engine_of({.width = 4});
  const auto images = torch::from_blob(const_cast<float*>(batch.images.data()), {8, 32, 32, 3}).permute({0, 3, 1, 2});
  const TensorInfo& conv = engine2->shape().parameters.at(0);
  std::vector<float> kernel = row_major(conv, engine2->values());
  const auto weight = torch::from_blob(kernel.data(), {4, 3, 3, 3});
  const auto expected = torch::conv2d(images, weight, {}, 1, 1).mean({0, 2, 3}) * 0.1;
  for (int64_t c = 0; c < 4; ++c)
    EXPECT_NEAR(engine->buffers()[mean.offset + static_cast<size_t>(c)], expected[c].item<float>(), 1e-5);
}

// oneDNN's bf16 convolutions write past their buffers for some channel counts and batch sizes.
TEST(Engine, Bf16WantsWholeVectorsOfChannels) {
  EXPECT_THROW(engine_of({.width = 12}, Precision::kBf16), OptionError);
  EXPECT_NE(engine_of({.width = 12}, Precision::kAuto)->description().find("fp32"), std::string::npos);
}

TEST(Engine, ADeviceThatIsNotThereIsAClearError) {
  if (libtorch_has_cuda()) GTEST_SKIP() << "this LibTorch has CUDA, so asking for it is no error";
  try {
    make_torch_engine(resnet18_shape({.width = 4}, 3, 10), {.device = Device::kCuda});
    FAIL() << "no error";
  } catch (const OptionError& e) {
    EXPECT_NE(std::string(e.what()).find("sees no CUDA device"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace signstep
