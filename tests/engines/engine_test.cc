// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <optional>

#include "signstep/base/error.h"
#include "signstep/engines/amx/amx_engine.h"
#include "signstep/engines/torch/torch_engine.h"
#include "signstep/engines/torch/torch_network.h"
#include "signstep/random/random.h"
#include "tests/engines/engine_fixtures.h"
#include "tests/support/amx_emulator.h"

namespace signstep {
namespace {

// What every engine must do, whoever computes.
struct EngineCase {
  const char* name;
  NetworkOptions network;
  std::function<std::unique_ptr<Engine>(const Network&)> make;
  std::optional<ProductUnit> unit = {};  // of the engine without LibTorch
  bool cuda = false;
};

std::function<std::unique_ptr<Engine>(const Network&)> torch_maker(Precision precision, bool apart = false,
                                                                   Device device = Device::kCpu) {
  return [=](const Network& network) {
    return make_torch_engine(network, {.device = device, .precision = precision, .threads = 1}, apart);
  };
}

std::unique_ptr<Engine> amx_maker(const Network& network) { return make_amx_engine(network, {.threads = 2}); }
std::unique_ptr<Engine> avx512_maker(const Network& network) {
  return make_amx_engine(network, {.threads = 2, .unit = ProductUnit::kVector});
}

const EngineCase kEngines[] = {
    {"TorchFp32", {.width = 16}, torch_maker(Precision::kFp32)},
    {"TorchFp32GroupNorm", {.width = 16, .norm = NormKind::kGroup}, torch_maker(Precision::kFp32)},
    {"TorchBf16GroupNorm", {.width = 16, .norm = NormKind::kGroup}, torch_maker(Precision::kBf16)},
    {"TorchBf16", {.width = 16}, torch_maker(Precision::kBf16)},
    {"TorchFp32Apart", {.width = 16}, torch_maker(Precision::kFp32, /*apart=*/true)},
    {"TorchFp32ResNet20", {.name = "resnet20"}, torch_maker(Precision::kFp32)},
    {"TorchCudaFp32", {.width = 16}, torch_maker(Precision::kFp32, true, Device::kCuda), {}, true},
    {"TorchCudaBf16", {.width = 16}, torch_maker(Precision::kBf16, true, Device::kCuda), {}, true},
    {"Amx", {.width = 16}, amx_maker, ProductUnit::kMatrix},
    {"AmxResNet20", {.name = "resnet20"}, amx_maker, ProductUnit::kMatrix},
    {"AmxOddWidth", {.width = 48}, amx_maker, ProductUnit::kMatrix},
    {"Avx512", {.width = 16}, avx512_maker, ProductUnit::kVector},
    {"Avx512ResNet20", {.name = "resnet20"}, avx512_maker, ProductUnit::kVector},
    {"Avx512OddWidth", {.width = 48}, avx512_maker, ProductUnit::kVector}};

class EngineTest : public testing::TestWithParam<EngineCase> {
 protected:
  void SetUp() override {
    if (const auto unit = GetParam().unit) {
      const std::string obstacle = amx_engine_obstacle(make_network(GetParam().network, 3, 10), *unit);
      if (!obstacle.empty()) GTEST_SKIP() << obstacle;
    }
    if (GetParam().cuda && !libtorch_has_cuda()) {
      if (std::getenv("SIGNSTEP_CUDA_REQUIRED") != nullptr) FAIL() << "LibTorch sees no CUDA device";
      GTEST_SKIP() << "LibTorch sees no CUDA device";
    }
    if (emulated() && GetParam().network.width > 16)
      GTEST_SKIP() << "width 48 takes minutes with emulated matrix units";
  }
  // Emulated, 16 pixels in the place of 1,024: minutes become seconds.
  static bool emulated() { return GetParam().unit == ProductUnit::kMatrix && matrix_units_emulated(); }
  static Batch batch_of(size_t images, uint64_t seed = 3) {
    return random_batch(images, 3, 10, seed, emulated() ? 4 : 32);
  }
  std::unique_ptr<Engine> engine(int channels = 3, int classes = 10) const {
    auto e = GetParam().make(make_network(GetParam().network, channels, classes));
    initialize(e->network(), 1, e->values(), e->buffers());
    return e;
  }
};

TEST_P(EngineTest, LearnsOneBatchByHeart) {
  const auto e = engine();
  const Batch batch = batch_of(16);
  const double first = e->forward_backward(batch).loss;
  for (int step = 0; step < 30; ++step) {
    e->forward_backward(batch);
    descend(*e, 0.1f);
  }
  const BatchResult last = e->forward_backward(batch);
  EXPECT_LT(last.loss, 0.3 * first);
  EXPECT_GE(last.correct, 14u);
}

TEST_P(EngineTest, TheSameBatchGivesTheSameBits) {
  const auto a = engine(), b = engine();
  const Batch batch = batch_of(33);
  EXPECT_EQ(a->forward_backward(batch).loss, b->forward_backward(batch).loss);
  EXPECT_EQ(copy(a->gradients()), copy(b->gradients()));
  EXPECT_EQ(copy(a->buffers()), copy(b->buffers()));
}

// As above by one engine, which may do the first steps in another way than the later ones.
TEST_P(EngineTest, AStepDoneAgainGivesTheSameBits) {
  const auto e = engine();
  const Batch batch = batch_of(8);
  const double loss = e->forward_backward(batch).loss;
  const auto gradients = copy(e->gradients());
  for (int again = 0; again < 5; ++again) {
    EXPECT_EQ(e->forward_backward(batch).loss, loss) << again;
    ASSERT_EQ(copy(e->gradients()), gradients) << again;
  }
}

// A batch leaves nothing behind for the next one but the running statistics: sizes in any order, evaluation in between.
TEST_P(EngineTest, EarlierBatchesDoNotMatter) {
  const auto fresh = engine(), used = engine();
  used->forward_backward(batch_of(70, 5));
  used->evaluate(batch_of(150, 6));
  used->forward_backward(batch_of(5, 7));
  const Batch batch = batch_of(40);
  EXPECT_EQ(used->forward_backward(batch).loss, fresh->forward_backward(batch).loss);
  EXPECT_EQ(copy(used->gradients()), copy(fresh->gradients()));
}

TEST_P(EngineTest, EvaluationLeavesEverythingAlone) {
  const auto e = engine();
  const Batch batch = batch_of(16);
  e->forward_backward(batch);
  const auto values = copy(e->values()), gradients = copy(e->gradients()), buffers = copy(e->buffers());
  const BatchResult once = e->evaluate(batch), again = e->evaluate(batch);
  EXPECT_EQ(once.loss, again.loss);
  EXPECT_EQ(copy(e->values()), values);
  EXPECT_EQ(copy(e->gradients()), gradients);
  EXPECT_EQ(copy(e->buffers()), buffers);
}

// An image's logits do not depend on who else is in the batch: the mean over parts is the mean over all.
TEST_P(EngineTest, EvaluationOfPartsIsEvaluationOfTheWhole) {
  const auto e = engine();
  e->forward_backward(batch_of(32));
  const Batch whole = batch_of(150, 4);
  double loss = 0;
  size_t correct = 0;
  for (size_t first = 0; first < whole.count; first += 50) {
    const BatchResult part = e->evaluate(slice(whole, first, 50));
    loss += part.loss / 3;
    correct += part.correct;
  }
  const BatchResult all = e->evaluate(whole);
  // cuDNN may choose another kernel for another size, and bf16 rounds what that adds otherwise.
  const bool alike = !GetParam().cuda;
  EXPECT_NEAR(all.loss, loss, (alike ? 1e-5 : 1e-3) * loss);
  EXPECT_LE(std::max(all.correct, correct) - std::min(all.correct, correct), alike ? 0u : 1u);
}

TEST_P(EngineTest, ProbabilitiesAreThoseOfTheLossAndDoNotChangeIt) {
  const auto e = engine();
  e->forward_backward(batch_of(32));
  const Batch batch = batch_of(150, 4);  // above what the amx engine evaluates at once
  std::vector<float> probabilities(150 * 10, -1.0f);
  const BatchResult plain = e->evaluate(batch), seen = e->evaluate(batch, probabilities);
  EXPECT_EQ(seen.loss, plain.loss);
  double loss = 0;
  size_t correct = 0;
  for (size_t i = 0; i < batch.count; ++i) {
    const auto row = std::span(probabilities).subspan(i * 10, 10);
    EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1.0, 1e-5);
    loss -= std::log(row[static_cast<size_t>(batch.labels[i])]) / 150;
    correct += std::max_element(row.begin(), row.end()) - row.begin() == batch.labels[i];
  }
  EXPECT_NEAR(loss, seen.loss, 1e-5 * loss);
  EXPECT_EQ(correct, seen.correct);
}

// The seam's flat view and the network's own tensors are the same numbers, and padding never gets a gradient.
TEST_P(EngineTest, GapsBetweenTensorsStayZero) {
  const auto e = engine();
  e->forward_backward(batch_of(8));
  std::vector<bool> used(e->values().size());
  for (const TensorInfo& t : e->network().parameters)
    for (size_t i = 0; i < t.size; ++i) used[t.offset + i] = true;
  for (size_t i = 0; i < used.size(); ++i) {
    ASSERT_TRUE(used[i] || e->gradients()[i] == 0.0f) << i;
  }
}

TEST_P(EngineTest, OtherChannelsSizesAndClassesWork) {
  const auto e = engine(1, 100);
  EXPECT_NEAR(e->forward_backward(random_batch(32, 1, 100, 3, emulated() ? 12 : 28)).loss, std::log(100.0), 1.0);
  EXPECT_NEAR(e->forward_backward(random_batch(8, 1, 100, 3, emulated() ? 9 : 17)).loss, std::log(100.0), 1.5);
}

// Batch normalisation's momentum is a tenth: the second batch moves the mean by a tenth of what is left.
TEST_P(EngineTest, RunningStatisticsMoveByATenth) {
  const auto e = engine();
  if (GetParam().network.norm != NormKind::kBatch) {
    EXPECT_TRUE(e->buffers().empty());
    return;
  }
  const Batch batch = batch_of(32);
  e->forward_backward(batch);
  const auto first = copy(e->buffers());
  e->forward_backward(batch);
  const TensorInfo& mean = e->network().buffers.at(0);
  ASSERT_EQ(mean.name, "bn1.running_mean");
  for (size_t i = mean.offset; i < mean.offset + mean.size; ++i)
    EXPECT_NEAR(e->buffers()[i], 1.9f * first[i], 1e-6) << i;
}

INSTANTIATE_TEST_SUITE_P(All, EngineTest, testing::ValuesIn(kEngines), [](const auto& one) { return one.param.name; });

// Central differences in directions of each tensor: an implementation-free check of the whole backward pass.
TEST(Engine, GradientsAreTheSlopesOfTheLoss) {
  const auto engine = engine_of({.width = 4, .norm = NormKind::kGroup});
  const Batch batch = random_batch(4, 3, 10);
  engine->forward_backward(batch);
  const auto gradient = copy(engine->gradients());
  for (const char* name :
       {"conv1.weight", "layer2.0.downsample.0.weight", "layer3.1.bn2.bias", "fc.weight", "fc.bias"}) {
    for (const TensorInfo& t : engine->network().parameters) {
      if (t.name != name) continue;
      double norm = 0;
      for (size_t i = 0; i < t.size; ++i) norm += std::pow(gradient[t.offset + i], 2);
      norm = std::sqrt(norm);
      const auto shifted = [&](double h) {
        for (size_t i = 0; i < t.size; ++i)
          engine->values()[t.offset + i] += static_cast<float>(h * gradient[t.offset + i] / norm);
        const double loss = engine->evaluate(batch).loss;
        for (size_t i = 0; i < t.size; ++i)
          engine->values()[t.offset + i] -= static_cast<float>(h * gradient[t.offset + i] / norm);
        return loss;
      };
      constexpr double h = 4e-4;
      EXPECT_NEAR((shifted(h) - shifted(-h)) / (2 * h), norm, 0.03 * norm + 1e-3) << name;
    }
  }
}

TEST(Engine, RunningStatisticsMoveByATenth) {
  const auto engine = engine_of({.width = 4});
  const Batch batch = random_batch(8, 3, 10);
  engine->forward_backward(batch);
  const TensorInfo& mean = engine->network().buffers.at(0);
  ASSERT_EQ(mean.name, "bn1.running_mean");
  // The stem's batch mean by hand: convolve with the weights at the values that were used.
  const auto engine2 = engine_of({.width = 4});
  const auto images = torch::from_blob(const_cast<float*>(batch.images.data()), {8, 32, 32, 3}).permute({0, 3, 1, 2});
  const TensorInfo& conv = engine2->network().parameters.at(0);
  std::vector<float> kernel = row_major(conv, engine2->values());
  const auto weight = torch::from_blob(kernel.data(), {4, 3, 3, 3});
  const auto expected = torch::conv2d(images, weight, {}, 1, 1).mean({0, 2, 3}) * 0.1;
  for (int64_t c = 0; c < 4; ++c)
    EXPECT_NEAR(engine->buffers()[mean.offset + static_cast<size_t>(c)], expected[c].item<float>(), 1e-5);
}

// The tensors of a step that is done again and again stay where they are: each batch must get there, whatever its size.
TEST(Engine, ArraysApartFollowEveryBatch) {
  const Network network = make_network({.width = 4}, 3, 10);
  const auto together = torch_maker(Precision::kFp32)(network), apart = torch_maker(Precision::kFp32, true)(network);
  for (Engine* e : {together.get(), apart.get()}) initialize(network, 1, e->values(), e->buffers());
  uint64_t seed = 1;
  for (const size_t count : {6u, 6u, 6u, 6u, 6u, 3u, 6u, 6u, 3u, 3u, 3u, 3u, 6u}) {
    const Batch batch = random_batch(count, 3, 10, seed++, 16);
    const BatchResult a = together->forward_backward(batch), b = apart->forward_backward(batch);
    EXPECT_EQ(a.loss, b.loss) << seed;
    EXPECT_EQ(a.correct, b.correct) << seed;
    ASSERT_EQ(copy(together->gradients()), copy(apart->gradients())) << seed;
    ASSERT_EQ(copy(together->buffers()), copy(apart->buffers())) << seed;
    for (Engine* e : {together.get(), apart.get()}) descend(*e, 0.01f);
  }
}

// oneDNN's bf16 convolutions write past their buffers for some channel counts and batch sizes.
TEST(Engine, Bf16WantsWholeVectorsOfChannels) {
  EXPECT_THROW(engine_of({.width = 12}, Precision::kBf16), OptionError);
  EXPECT_NE(engine_of({.width = 12}, Precision::kAuto)->description().find("fp32"), std::string::npos);
}

TEST(Engine, ADeviceThatIsNotThereIsAClearError) {
  if (libtorch_has_cuda()) GTEST_SKIP() << "this LibTorch has CUDA, so asking for it is no error";
  try {
    make_torch_engine(make_network({.width = 4}, 3, 10), {.device = Device::kCuda});
    FAIL() << "no error";
  } catch (const OptionError& e) {
    EXPECT_NE(std::string(e.what()).find("sees no CUDA device"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace signstep
