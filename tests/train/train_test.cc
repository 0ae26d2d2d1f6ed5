// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "signstep/base/error.h"
#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/io/safetensors.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/checkpoint.h"
#include "signstep/train/start_checks.h"
#include "signstep/train/trainer.h"
#include "tests/support/message_of.h"
#include "tests/support/softmax_engine.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Every engine resumes bit for bit, in the middle of an epoch too.
class EveryUnit : public TrainTest, public testing::WithParamInterface<ProductUnit> {};
INSTANTIATE_TEST_SUITE_P(All, EveryUnit, testing::Values(ProductUnit::kMatrix, ProductUnit::kVector));

TEST_P(EveryUnit, Resumes) {
  TrainOptions o = options("whole");
  o.network.width = 16;
  o.engine.precision = Precision::kAuto;
  o.engine.threads = 2;
  if (const std::string obstacle = obstacle_of(GetParam()); !obstacle.empty()) GTEST_SKIP() << obstacle;
  engines_ = {amx_engine(GetParam())};
  run(o);
  o.output = folder_.path("pieces");
  EXPECT_EQ(run(o, stop_after(5)).stopped, StopReason::kTime);
  EXPECT_EQ(run(o, stop_after(4, true)).stopped, StopReason::kTime);
  run(o, resuming());
  EXPECT_EQ(parameters("pieces"), parameters("whole"));
}

TEST_F(TrainTest, SaysWhyTheFastEngineWasPassedOver) {
  struct Notes : TrainObserver {
    void note(const std::string& message) override { all += message + "\n"; }
    std::string all;
  } notes;
  engines_ = {amx_engine(), softmax_engine()};
  TrainOptions o = options("run");
  o.epochs = 1;
  train(o, engines_, {}, notes);
  EXPECT_THAT(notes.all, HasSubstr("engine softmax, because precision is fp32"));
  o.engine.name = "amx";
  o.output = folder_.path("other");
  EXPECT_THAT(message_of<OptionError>([&] { run(o); }), HasSubstr("engine is amx, and precision is fp32"));
  EXPECT_FALSE(fs::exists(o.output));
}

TEST_F(TrainTest, WritesARunFolderThatTellsEverything) {
  const TrainResult result = run(options("run"));
  EXPECT_EQ(result.stopped, StopReason::kNone);
  const auto metrics = read_json_lines(folder_.path("run/metrics.jsonl"));
  ASSERT_EQ(metrics.size(), 2u);
  for (const char* key :
       {"epoch", "train_loss", "train_accuracy", "validation_accuracy", "test_accuracy", "learning_rate", "step"})
    EXPECT_TRUE(metrics[1].contains(key)) << key;
  EXPECT_EQ(metrics[1]["step"], 16);
  EXPECT_EQ(metrics[1]["curve"]["step"].size(), 8u);
  EXPECT_EQ(metrics[1]["curve"]["learning_rate"].size(), 8u);
  EXPECT_FALSE(metrics[1]["curve"].contains("gamma"));  // nothing was projected
  EXPECT_LT(metrics[1]["train_loss"], metrics[0]["train_loss"]);
  const auto record = nlohmann::json::parse(read_text_file(folder_.path("run/run.json")));
  EXPECT_EQ(record["status"], "finished");
  EXPECT_EQ(record["data"]["official"], false);
  EXPECT_EQ(record["data"]["train_images"], 240);
  EXPECT_EQ(list_checkpoints(folder_.path("run")).size(), 2u);
}

TEST_F(TrainTest, TheRecordedConfigurationRepeatsTheRun) {
  run(options("first"));
  TrainOptions again;
  OptionList list = option_list(again);
  read_toml(folder_.path("first/config.toml"), list);
  again.output = folder_.path("second");
  run(again);
  EXPECT_EQ(parameters("first"), parameters("second"));
}

TEST_F(TrainTest, AnyStopAndResumeGivesTheSameBytesForEveryOptimizer) {
  for (const std::string& name : standard_rules().names()) {
    TrainOptions whole = options("whole" + name), parts = options("parts" + name);
    whole.optimizer = parts.optimizer = OptimizerOptions(name);
    run(whole);
    EXPECT_EQ(run(parts, stop_after(3)).stopped, StopReason::kTime);
    EXPECT_EQ(run(parts, stop_after(6, true)).stopped, StopReason::kTime);
    EXPECT_EQ(run(parts, resuming()).stopped, StopReason::kNone);
    EXPECT_EQ(parameters("whole" + name), parameters("parts" + name)) << name;
    auto a = read_json_lines(folder_.path("whole" + name + "/metrics.jsonl"));
    auto b = read_json_lines(folder_.path("parts" + name + "/metrics.jsonl"));
    for (auto* records : {&a, &b})
      for (auto& r : *records) r.erase("train_seconds"), r.erase("images_per_second");
    EXPECT_EQ(a, b) << name;
  }
}

TEST_F(TrainTest, ResumeAcrossTheSwitchGivesTheSameBytes) {
  // 16 steps: calibration, the switch after 6, a blend of 4, SGD; stopped before, within and after the blend.
  const auto switching = [&](const std::string& name, SwitchScope scope) {
    TrainOptions o = options(name);
    o.dither.dither = DitherKind::kRelative;
    o.switching.switch_when = SwitchWhen::kAt;
    o.switching.switch_step = 6;
    o.switching.switch_blend = 4;
    o.switching.switch_scope = scope;
    o.switching.switch_follow = scope == SwitchScope::kTensor;
    o.augment.cutout = 12;
    return o;
  };
  for (const SwitchScope scope : {SwitchScope::kGlobal, SwitchScope::kTensor}) {
    const std::string suffix = scope == SwitchScope::kGlobal ? "global" : "tensor";
    run(switching("whole" + suffix, scope));
    const TrainOptions parts = switching("parts" + suffix, scope);
    run(parts, stop_after(4));
    run(parts, stop_after(4, true));
    run(parts, stop_after(4, true));
    run(parts, resuming());
    EXPECT_EQ(parameters("whole" + suffix), parameters("parts" + suffix));
    const auto records = read_json_lines(folder_.path("parts" + suffix + "/metrics.jsonl"));
    EXPECT_EQ(records[0]["events"][0]["step"], 6);
    EXPECT_EQ(records[0]["events"][0]["event"], "switch");
    EXPECT_GT(records[0]["curve"]["gamma"][3], 0);
    EXPECT_EQ(records[1]["phase"], "sgd");
  }
}

// Each coordinate's maximum is state: a resumed run has the bytes of a whole one, file for file.
TEST_F(TrainTest, ResumeKeepsTheMaximaOfADither) {
  const auto scaled = [&](const std::string& name) {
    TrainOptions o = options(name);
    o.dither.dither = DitherKind::kMaximum;
    o.dither.dither_noise = DitherNoise::kUniform;
    o.dither.dither_shape = DitherShape::kConstant;
    return o;
  };
  run(scaled("whole"));
  run(scaled("parts"), stop_after(3));
  const std::string checkpoint = find_checkpoint(folder_.path("parts"));
  EXPECT_NE(SafetensorsFile(checkpoint).find("optimizer.maximum.conv1.weight"), nullptr);
  run(scaled("parts"), resuming());
  EXPECT_EQ(parameters("parts"), parameters("whole"));
  EXPECT_NE(parameters("whole"), [&] {
    TrainOptions o = scaled("mean");
    o.dither.dither_on = DitherOn::kMean;
    run(o);
    return parameters("mean");
  }());
}

TEST_F(TrainTest, ResumeNeedsTheSameImages) {
  run(options("run"), stop_after(2));
  write_cifar10_fixture(folder_.path("data"), 60, 2);
  EXPECT_THAT(message_of<CheckpointError>([&] { run(options("run"), resuming()); }),
              HasSubstr("of a run on images with checksum"));
}

TEST_F(TrainTest, LoaderThreadsChangeNothing) {
  TrainOptions one = options("one"), three = options("three");
  three.loader_threads = 3;
  run(one);
  run(three);
  EXPECT_EQ(parameters("one"), parameters("three"));
}

TEST_F(TrainTest, ResumeTakesTheNewestIntactCheckpoint) {
  run(options("good"));
  run(options("bad"));
  const std::string newest = list_checkpoints(folder_.path("bad")).front();
  {
    std::fstream file(newest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-5, std::ios::end);
    file.put('\x7f');
  }
  run(options("bad"), resuming());  // takes the one of epoch 1 and trains epoch 2 again
  EXPECT_EQ(parameters("good"), parameters("bad"));
}

TEST_F(TrainTest, AnExistingRunIsNeverOverwritten) {
  run(options("run"));
  const auto before = parameters("run");
  EXPECT_THAT(message_of<OptionError>([&] { run(options("run")); }), HasSubstr("holds a run already"));
  EXPECT_EQ(parameters("run"), before);
}

TEST_F(TrainTest, InitTakesTheWeightsAlone) {
  run(options("first"));
  TrainOptions second = options("second");
  second.init = find_checkpoint(folder_.path("first"));
  second.epochs = 1;
  run(second);
  EXPECT_LT(read_json_lines(folder_.path("second/metrics.jsonl")).at(0)["train_loss"],
            read_json_lines(folder_.path("first/metrics.jsonl")).at(0)["train_loss"]);
}

TEST_F(TrainTest, ACheckpointOfAnotherNetworkIsRefused) {
  run(options("narrow"));
  TrainOptions wide = options("wide");
  wide.network.width = 8;
  wide.init = find_checkpoint(folder_.path("narrow"));
  EXPECT_THAT(message_of<CheckpointError>([&] { run(wide); }), HasSubstr("conv1.weight is F32 (4, 3, 3, 3)"));
}

TEST_F(TrainTest, ANonFiniteLossStopsWithTheStepAndKeepsTheLastCheckpoint) {
  TrainOptions o = options("diverges");
  o.optimizer = OptimizerOptions("sgd", {{"learning_rate", "1e30"}});
  o.checkpoint_every = 1;
  EXPECT_THAT(message_of<DivergedError>([&] { run(o); }), HasSubstr("at step "));
  EXPECT_EQ(nlohmann::json::parse(read_text_file(folder_.path("diverges/run.json")))["status"], "diverged");
  const std::vector<std::string> left = list_checkpoints(folder_.path("diverges"));
  EXPECT_FALSE(left.empty());
  for (const std::string& path : left) EXPECT_NO_THROW(SafetensorsFile{path});
}

// Hours later these would be a checkpoint that nobody reads, and a running variance that is NaN.
TEST(StartChecks, RefuseWhatWouldSpoilTheRun) {
  EXPECT_NO_THROW(require_storable_probes(0, 1'000'000'000));
  EXPECT_NO_THROW(require_storable_probes(1, 500'000));
  EXPECT_THAT(message_of<OptionError>([] { require_storable_probes(2, 1'200'000); }), HasSubstr("take at least 3"));
  const Network network = make_network({.width = 4}, 3, 10);
  EXPECT_NO_THROW(require_batch_statistics(network, 8, 8, {1000, 10}, 100, 1));
  EXPECT_NO_THROW(require_batch_statistics(network, 9, 8, {1001, 11}, 100, 1)) << "two pixels";
  EXPECT_NO_THROW(
      require_batch_statistics(make_network({.width = 4, .norm = NormKind::kGroup}, 3, 10), 8, 8, {1001, 11}, 100, 1));
  EXPECT_NO_THROW(require_batch_statistics(make_network({.name = "resnet20"}, 3, 10), 8, 8, {1001, 11}, 100, 1));
  EXPECT_THAT(message_of<OptionError>([&] {
                require_batch_statistics(network, 8, 8, {1001, 11}, 100, 1);
              }),
              HasSubstr("the last batch has one image;"));
  EXPECT_THAT(message_of<OptionError>([&] {
                require_batch_statistics(network, 8, 8, {1000, 250}, 4, 4);
              }),
              HasSubstr("the smallest batch has one image for each rank"));
}

TEST_F(TrainTest, BadOptionsAreRefusedBeforeAnythingIsWritten) {
  const auto refused = [&](const std::function<void(TrainOptions&)>& change) {
    TrainOptions o = options("refused");
    std::string message = "no error";
    try {
      change(o);
      run(o);
    } catch (const Error& e) {
      message = e.what();
    }
    EXPECT_FALSE(fs::exists(folder_.path("refused"))) << message;
    return message;
  };
  EXPECT_THAT(refused([](TrainOptions& o) { o.optimizer.set("learning_rate", "-0.1"); }),
              HasSubstr("learning_rate is '-0.1'"));
  EXPECT_THAT(refused([](TrainOptions& o) { o.batch = 1000; }), HasSubstr("1000"));
  EXPECT_THAT(refused([](TrainOptions& o) { o.validation = 300; }), HasSubstr("300"));
  EXPECT_THAT(refused([](TrainOptions& o) { o.network.width = 6; }), HasSubstr("width is 6"));
  EXPECT_THAT(refused([](TrainOptions& o) { o.schedule.milestones = {0.5, 2}; }), HasSubstr("milestones is '0.5,2'"));
  EXPECT_THAT(refused([](TrainOptions& o) { o.data = "/nowhere"; }), HasSubstr("/nowhere"));
  EXPECT_THAT(refused([](TrainOptions& o) {
                o.optimizer = OptimizerOptions("signsgd", {{"momentum", "0.9"}});
              }),
              HasSubstr("signsgd has none"));
}

TEST_F(TrainTest, TwoProcessesCannotShareARunFolder) {
  const RunFolder held(folder_.path("shared"), false);
  EXPECT_THAT(message_of<EnvironmentError>([&] { run(options("shared")); }), HasSubstr("in use"));
}

TEST_F(TrainTest, AnUnwritableFolderIsAClearError) {
  write_file_atomic(folder_.path("file"), "not a folder");
  EXPECT_THAT(message_of<EnvironmentError>([&] { run(options("file/run")); }), HasSubstr("cannot create the folder"));
}

}  // namespace
}  // namespace signstep
