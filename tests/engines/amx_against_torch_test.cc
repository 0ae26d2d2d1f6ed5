// SPDX-License-Identifier: Apache-2.0
// The whole network beside LibTorch's autograd in float32 on the same weights and batch, with LibTorch's own bf16 as
// the measure of what bf16 costs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "signstep/base/error.h"
#include "signstep/engines/amx/amx_engine.h"
#include "tests/engines/engine_fixtures.h"
#include "tests/support/amx_emulator.h"

namespace signstep {
namespace {

std::vector<double> relative_errors(const Engine& of, std::span<const float> gradients, std::span<const float> truth) {
  std::vector<double> errors;
  for (const TensorInfo& t : of.network().parameters) {
    double distance = 0, size = 0;
    for (size_t i = t.offset; i < t.offset + t.size; ++i) {
      distance += std::pow(static_cast<double>(gradients[i]) - truth[i], 2);
      size += std::pow(static_cast<double>(truth[i]), 2);
    }
    errors.push_back(std::sqrt(distance / size));
  }
  return errors;
}

void copy_weights(Engine& from, Engine& to) {
  std::ranges::copy(from.values(), to.values().begin());
  std::ranges::copy(from.buffers(), to.buffers().begin());
}

// Emulated, 16 pixels in the place of 1,024 and 16 channels in the place of 64: minutes become seconds.
bool emulated(ProductUnit unit) { return unit == ProductUnit::kMatrix && matrix_units_emulated(); }
Batch batch_of(ProductUnit unit, size_t images, uint64_t seed = 1) {
  return random_batch(images, 3, 10, seed, emulated(unit) ? 4 : 32);
}
NetworkOptions of_width(ProductUnit unit, NetworkOptions options, int64_t width) {
  options.width = emulated(unit) ? 16 : width;
  return options;
}
std::string name_of(ProductUnit unit) { return unit == ProductUnit::kMatrix ? "Matrix" : "Vector"; }
const auto kUnits = testing::Values(ProductUnit::kMatrix, ProductUnit::kVector);

class AmxAgainstTorch : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Networks, AmxAgainstTorch, testing::Values("resnet18", "resnet20"),
                         [](const auto& p) { return std::string(p.param); });

class AmxUnits : public testing::TestWithParam<ProductUnit> {};
INSTANTIATE_TEST_SUITE_P(All, AmxUnits, kUnits, [](const auto& p) { return name_of(p.param); });

class AmxUnitsAgainstTorch : public testing::TestWithParam<std::tuple<const char*, ProductUnit>> {};
INSTANTIATE_TEST_SUITE_P(Networks, AmxUnitsAgainstTorch,
                         testing::Combine(testing::Values("resnet18", "resnet20"), kUnits),
                         [](const auto& p) { return std::get<0>(p.param) + name_of(std::get<1>(p.param)); });

TEST_P(AmxUnitsAgainstTorch, GradientsAreAsGoodAsItsOwnBf16) {
  const auto [name, unit] = GetParam();
  NetworkOptions options{.name = name};
  const Network network = make_network(of_width(unit, options, resolved(options).width), 3, 10);
  if (const auto obstacle = amx_engine_obstacle(network, unit); !obstacle.empty()) GTEST_SKIP() << obstacle;
  const auto ours = make_amx_engine(network, {.unit = unit});
  const auto bf16 = make_torch_engine(network, {.precision = Precision::kBf16});
  const auto fp32 = make_torch_engine(network, {.precision = Precision::kFp32});
  initialize(network, 1, ours->values(), ours->buffers());
  const Batch batch = batch_of(unit, 64);
  for (int step = 0; step < (emulated(unit) ? 10 : 40); ++step) {
    ours->forward_backward(batch_of(unit, 64, 100 + static_cast<uint64_t>(step)));
    descend(*ours, 0.02f);
  }
  copy_weights(*ours, *bf16);
  copy_weights(*ours, *fp32);
  const double our_loss = ours->forward_backward(batch).loss, true_loss = fp32->forward_backward(batch).loss;
  bf16->forward_backward(batch);
  EXPECT_NEAR(our_loss, true_loss, 1e-2);
  const auto our_errors = relative_errors(*ours, ours->gradients(), fp32->gradients());
  const auto their_errors = relative_errors(*ours, bf16->gradients(), fp32->gradients());
  const double allowed = emulated(unit) ? 2 : 1.25;  // 16 pixels average less out
  // LibTorch 2.6's oneDNN has NaN in a weight gradient of maps of one pixel: there the largest of its others is
  // allowed. The errors of a norm's 16 numbers are chance, so the small tensors are judged together.
  double largest = 0, our_small = 0, their_small = 0;
  for (const double error : their_errors) largest = std::fmax(largest, error);
  for (size_t i = 0; i < our_errors.size(); ++i) {
    const double theirs = std::isnan(their_errors[i]) ? largest : their_errors[i];
    if (network.parameters[i].size < 400) {
      our_small += our_errors[i] * our_errors[i];
      their_small += theirs * theirs;
    } else {
      EXPECT_LE(our_errors[i], allowed * theirs) << network.parameters[i].name;
    }
  }
  EXPECT_LE(std::sqrt(our_small), allowed * std::sqrt(their_small));
}

// The reference kernels run on every processor, so the network's own logic is tested everywhere. At first weights and
// few pixels both bf16 sides are far from float32 (a fifth off), and differ more between themselves.
TEST_P(AmxAgainstTorch, ReferenceKernelsGiveTheSameNetwork) {
  const Network network = make_network({.name = GetParam(), .width = 16}, 3, 10);
  const auto ours = make_amx_engine(network, {.threads = 2, .unit = ProductUnit::kReference});
  const auto bf16 = make_torch_engine(network, {.precision = Precision::kBf16, .threads = 1});
  const auto fp32 = make_torch_engine(network, {.precision = Precision::kFp32, .threads = 1});
  initialize(network, 1, ours->values(), ours->buffers());
  copy_weights(*ours, *bf16);
  copy_weights(*ours, *fp32);
  const Batch batch = random_batch(33, 3, 10, 3, 12);
  EXPECT_NEAR(ours->forward_backward(batch).loss, fp32->forward_backward(batch).loss, 1e-2);
  bf16->forward_backward(batch);
  const auto our_errors = relative_errors(*ours, ours->gradients(), fp32->gradients());
  const auto their_errors = relative_errors(*ours, bf16->gradients(), fp32->gradients());
  for (size_t i = 0; i < our_errors.size(); ++i)
    EXPECT_LE(our_errors[i], 1.75 * their_errors[i]) << network.parameters[i].name;
  for (size_t i = 0; i < ours->buffers().size(); ++i) {
    ASSERT_NEAR(ours->buffers()[i], fp32->buffers()[i], 1e-2 * (1 + std::fabs(fp32->buffers()[i]))) << i;
  }
}

// Pictures of one's own have sizes that no benchmark has.
TEST(AmxEngine, ReferenceKernelsTakeImagesOfAnySize) {
  const Network network = make_network({.width = 16}, 3, 10);
  for (const int side : {9, 36}) {
    const auto ours = make_amx_engine(network, {.threads = 2, .unit = ProductUnit::kReference});
    const auto theirs = make_torch_engine(network, {.precision = Precision::kFp32, .threads = 1});
    initialize(network, 1, ours->values(), ours->buffers());
    copy_weights(*ours, *theirs);
    const Batch batch = random_batch(2, 3, 10, 3, side);
    EXPECT_NEAR(ours->forward_backward(batch).loss, theirs->forward_backward(batch).loss, 0.05) << side;
    EXPECT_NEAR(ours->evaluate(batch).loss, theirs->evaluate(batch).loss, 0.05) << side;
  }
}

// More images than are evaluated at once: the parts' rows follow each other.
TEST(AmxEngine, ReferenceKernelsGiveTheProbabilitiesOfTheirLoss) {
  const auto engine =
      make_amx_engine(make_network({.width = 16}, 3, 10), {.threads = 2, .unit = ProductUnit::kReference});
  initialize(engine->network(), 1, engine->values(), engine->buffers());
  const Batch batch = random_batch(130, 3, 10, 3, 8);
  std::vector<float> probabilities(130 * 10, -1.0f);
  const BatchResult seen = engine->evaluate(batch, probabilities);
  double loss = 0;
  for (size_t i = 0; i < batch.count; ++i)
    loss -= std::log(probabilities[i * 10 + static_cast<size_t>(batch.labels[i])]) / 130;
  EXPECT_NEAR(loss, seen.loss, 1e-5 * loss);
}

// A run that goes on has evaluated with other batches behind it than one that was not interrupted.
TEST(AmxEngine, EvaluationDoesNotDependOnEarlierBatches) {
  const Network network = make_network({.width = 16}, 3, 10);
  const auto unit =
      amx_engine_obstacle(network, ProductUnit::kVector).empty() ? ProductUnit::kVector : ProductUnit::kReference;
  const auto engine = make_amx_engine(network, {.threads = 2, .unit = unit});
  initialize(network, 1, engine->values(), engine->buffers());
  const Batch batch = random_batch(200, 3, 10, 3, 4);
  const auto buffers = copy(engine->buffers());
  const double before = engine->evaluate(batch).loss;
  engine->forward_backward(batch);
  std::ranges::copy(buffers, engine->buffers().begin());
  EXPECT_EQ(engine->evaluate(batch).loss, before);
}

TEST_P(AmxUnits, GiveWhatTheReferenceGives) {
  const Network network = make_network({.width = 16}, 3, 10);
  if (const auto obstacle = amx_engine_obstacle(network, GetParam()); !obstacle.empty()) GTEST_SKIP() << obstacle;
  const auto fast = make_amx_engine(network, {.threads = 1, .unit = GetParam()}),
             slow = make_amx_engine(network, {.threads = 2, .unit = ProductUnit::kReference});
  initialize(network, 1, fast->values(), fast->buffers());
  copy_weights(*fast, *slow);
  const Batch batch = random_batch(6, 3, 10, 3, 8);
  EXPECT_NEAR(fast->forward_backward(batch).loss, slow->forward_backward(batch).loss, 1e-3);
  for (const double error : relative_errors(*fast, fast->gradients(), slow->gradients())) EXPECT_LE(error, 0.05);
}

TEST_P(AmxUnits, GiveTheSameBitsForAnyNumberOfThreads) {
  const Network network = make_network(of_width(GetParam(), {}, 32), 3, 10);
  if (const auto obstacle = amx_engine_obstacle(network, GetParam()); !obstacle.empty()) GTEST_SKIP() << obstacle;
  std::vector<std::vector<float>> gradients, buffers;
  for (const int64_t threads : {1, 2, 3, 8}) {
    const auto engine = make_amx_engine(network, {.threads = threads, .unit = GetParam()});
    initialize(network, 1, engine->values(), engine->buffers());
    for (int step = 0; step < 3; ++step) {
      engine->forward_backward(batch_of(GetParam(), 100));
      descend(*engine, 0.05f);
    }
    gradients.push_back(copy(engine->gradients()));
    buffers.push_back(copy(engine->buffers()));
    EXPECT_EQ(gradients.back(), gradients.front()) << threads;
    EXPECT_EQ(buffers.back(), buffers.front()) << threads;
  }
}

TEST(AmxEngine, SaysWhatItCannotDo) {
  const auto message = [](const NetworkOptions& network, int64_t channels) {
    try {
      make_amx_engine(make_network(network, channels, 10), {.unit = ProductUnit::kReference});
    } catch (const OptionError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(message({.width = 24}, 3).find("width 24 is no multiple of 16"), std::string::npos);
  EXPECT_NE(message({.width = 16, .norm = NormKind::kGroup}, 3).find("group norm"), std::string::npos);
  EXPECT_NE(message({.width = 16}, 4).find("images have 4 channels"), std::string::npos);
  EXPECT_EQ(message({.width = 16}, 1), "");
}

}  // namespace
}  // namespace signstep
