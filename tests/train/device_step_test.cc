// SPDX-License-Identifier: Apache-2.0
// Runs whose steps are taken in a device's memory, by the kernels of the library that SIGNSTEP_CUDA_LIBRARY names, end
// with the bits of those on the host.
#include <gmock/gmock.h>

#include <sstream>

#include "signstep/base/error.h"
#include "signstep/train/learner.h"
#include "signstep/train/speed_probe.h"
#include "tests/cuda/device_array.h"
#include "tests/support/device_softmax_engine.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

using testing::HasSubstr;

// Every part of the sign rules: state of none, one and two arrays, noise, measuring, sums, blend and SGD; and the rules
// without sign.
const char* const kSettings[] = {
    "optimizer=signsgd",
    "optimizer=signsgd dither=relative zero=random",
    "optimizer=signum",
    "optimizer=signum dither=relative dither_on=gradient",
    "optimizer=signum dither=absolute dither_level=0.001",
    "optimizer=lion dither=maximum dither_noise=uniform dither_shape=constant",
    "optimizer=signum switch_when=at switch_blend=4",
    "optimizer=signum switch_when=at switch_blend=0 switch_projection=inner switch_follow=true",
    "optimizer=signum switch_when=at switch_blend=0 switch_projection=inner switch_direction=gradient",
    "optimizer=signum switch_when=at switch_projection=swats switch_scope=tensor switch_decay=l2",
    "optimizer=signsgd dither=relative switch_when=at switch_calibrate_from=0.2 switch_projection=inner",
    "optimizer=sgd momentum=0",
    "optimizer=sgd",
    "optimizer=sgd nesterov=true decoupled_weight_decay=0.01",
    "optimizer=adam l2_penalty=0.001",
    "optimizer=adamw",
};

struct Notes : TrainObserver {
  void note(const std::string& message) override { all += message + "\n"; }
  std::string all;
};

class DeviceStepTest : public TrainTest {
 protected:
  void SetUp() override { skip_without_device(); }

  TrainOptions with(const std::string& name, const std::string& settings) const {
    TrainOptions o = options(name);
    OptionList list = option_list(o);
    std::istringstream words(settings);
    for (std::string word; words >> word;) list.set(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
    return o;
  }

  // Returns what was noted.
  std::string run_on(const EngineRecord& engine, const TrainOptions& o, const TrainControl& control = {}) {
    Notes notes;
    train(o, {engine}, control, notes);
    return notes.all;
  }

  // What the newest checkpoint says besides its tensors, without what depends on the clock and the folder.
  nlohmann::ordered_json state(const std::string& name) const {
    auto json = nlohmann::ordered_json::parse(
        SafetensorsFile(find_checkpoint(folder_.path(name))).metadata().at("signstep.state"));
    for (const char* key : {"config", "train_seconds", "metrics", "curve"}) json.erase(key);
    return json;
  }

  void expect_same(const std::string& name, const std::string& want) const {
    EXPECT_EQ(parameters(name), parameters(want));
    EXPECT_EQ(state(name), state(want));
    EXPECT_EQ(figures(name), figures(want));
  }

  void clear() const {
    for (const char* name : {"host", "device", "parts"}) std::filesystem::remove_all(folder_.path(name));
  }
};

TEST_F(DeviceStepTest, EveryRuleEndsWithTheBitsOfTheHost) {
  for (const char* settings : kSettings) {
    SCOPED_TRACE(settings);
    clear();
    EXPECT_EQ(run_on(softmax_engine(), with("host", settings)).find("device"), std::string::npos);
    EXPECT_THAT(run_on(device_softmax_engine(), with("device", settings)),
                AllOf(HasSubstr("steps are taken on the device, by its CUDA kernels"),
                      HasSubstr("images are normalised and augmented on the device")));
    expect_same("device", "host");
    if (HasFailure()) return;
  }
}

TEST_F(DeviceStepTest, ARunGoesOnFromOneToTheOther) {
  for (const char* settings : kSettings)
    for (const bool device_first : {false, true}) {
      SCOPED_TRACE(settings);
      clear();
      const EngineRecord host = softmax_engine(), device = device_softmax_engine();
      run_on(host, with("host", settings));
      run_on(device_first ? device : host, with("parts", settings), stop_after(5));
      run_on(device_first ? host : device, with("parts", settings), stop_after(6, true));
      run_on(device_first ? device : host, with("parts", settings), resuming());
      expect_same("parts", "host");
      if (HasFailure()) return;
    }
}

// Checkpoints within the epoch, and gradients that are read and written back between batch and step.
TEST_F(DeviceStepTest, WhoLooksOnTheWayChangesNothing) {
  const std::string settings = "optimizer=signum dither=relative switch_when=at switch_blend=4";
  run_on(softmax_engine(), with("host", settings));
  run_on(device_softmax_engine(), with("device", settings + " checkpoint_every=3 analyze_every=2"));
  EXPECT_EQ(parameters("device"), parameters("host"));
}

TEST_F(DeviceStepTest, ARuleWithoutKernelsStepsOnTheCpuAndSaysSo) {
  const std::string settings = "optimizer=ef-signsgd";
  run_on(softmax_engine(), with("host", settings));
  EXPECT_THAT(run_on(device_softmax_engine(), with("device", settings)),
              HasSubstr("the CPU takes the optimizer's steps, because this rule has no CUDA kernels"));
  expect_same("device", "host");
}

TEST_F(DeviceStepTest, TheHostsCopiesAreMadeForWhoAsks) {
  const Network network = make_network({.width = 4}, 3, 10);
  auto engine = std::make_unique<DeviceSoftmaxEngine>(network);
  initialize(network, 1, engine->values(), engine->buffers());
  DeviceSoftmaxEngine& device = *engine;
  Learner learner(std::move(engine), make_rule(OptimizerOptions("signum")));
  auto other = std::make_unique<SoftmaxEngine>(network);
  initialize(network, 1, other->values(), other->buffers());
  Learner host(std::move(other), make_rule(OptimizerOptions("signum")));
  const Batch batch = random_batch(8, {3, 32, 32, 10});
  const auto step_both = [&] {
    for (int k = 0; k < 3; ++k) learner.step(batch), host.step(batch);
  };
  const auto same = [](std::span<const float> a, std::span<const float> b) { return std::ranges::equal(a, b); };

  device.host_reads = 0;
  step_both();
  EXPECT_EQ(device.host_reads, 0);
  EXPECT_EQ(learner.steps(), 3u);
  EXPECT_TRUE(same(learner.state().buffer("m"), host.state().buffer("m")));
  EXPECT_TRUE(same(device.values(), host.engine().values()));

  // What is written into the copies is what the next step takes.
  for (Learner* l : {&learner, &host}) {
    l->state().buffer("m")[0] = 0.5f;
    l->engine().values()[1] = -2;
  }
  step_both();
  EXPECT_TRUE(same(learner.state().buffer("m"), host.state().buffer("m")));
  EXPECT_TRUE(same(device.values(), host.engine().values()));
}

TEST_F(DeviceStepTest, ABenchmarksBatchIsTheSameImagesInBothWays) {
  const TwoBatches batches = random_bytes_batch(5);
  ASSERT_TRUE(batches.raw.is_raw());
  EXPECT_EQ(device_images(batches.raw), batches.rendered.images);
  EXPECT_EQ(batches.raw.labels, batches.rendered.labels);
}

// A rate that cannot be: nothing has moved, on the device either.
TEST_F(DeviceStepTest, ARateThatIsRefusedTouchesNothing) {
  DeviceSoftmaxEngine engine(make_network({.width = 4}, 3, 10));
  initialize(engine.network(), 1, engine.values(), engine.buffers());
  const std::vector<float> before(engine.values().begin(), engine.values().end());
  const auto rule = make_rule(OptimizerOptions("signum"));
  OptimizerState state = make_state(*rule, before.size(), 1);
  std::string why;
  const auto device = device_step(engine, *rule, why);
  ASSERT_NE(device, nullptr) << why;
  const std::vector<TensorSlot> all = {{.offset = 0, .size = before.size()}};
  engine.forward_backward(random_batch(8, {3, 32, 32, 10}));
  EXPECT_THROW(device->step(engine, *rule, state, all, 1e6), OptionError);
  device->bring_to_host(state);
  EXPECT_TRUE(std::ranges::equal(engine.values(), before));
  EXPECT_EQ(state.buffer("m")[0], 0);
  EXPECT_EQ(state.step, 0u);
  device->step(engine, *rule, state, all, 1);
  EXPECT_FALSE(std::ranges::equal(engine.values(), before));
}

#ifdef SIGNSTEP_LIBTORCH
TEST_F(DeviceStepTest, TheTorchEnginesArraysApartEndWithTheSameBits) {
  for (const char* settings : {"optimizer=signum", "optimizer=signsgd dither=relative", "optimizer=adamw",
                               "optimizer=signum switch_when=at switch_blend=4 analyze_every=2 checkpoint_every=3"}) {
    SCOPED_TRACE(settings);
    clear();
    run_on(torch_engine(), with("host", settings));
    run_on(torch_engine(true), with("parts", settings), stop_after(5));
    run_on(torch_engine(true), with("parts", settings), resuming());
    EXPECT_EQ(parameters("parts"), parameters("host"));
  }
}
#endif

}  // namespace
}  // namespace signstep
