// SPDX-License-Identifier: Apache-2.0
// Whole runs of several workers, here threads of one process.
#include <gmock/gmock.h>

#include <filesystem>
#include <mutex>

#include "signstep/base/error.h"
#include "signstep/io/path.h"
#include "signstep/train/checkpoint.h"
#include "signstep/train/run_images.h"
#include "signstep/wire/rank_threads.h"
#include "tests/support/message_of.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(2);

class RanksTest : public TrainTest {
 protected:
  TrainOptions options_of(const std::string& name, int64_t workers, const char* rule = "signum") const {
    TrainOptions o = options(name);
    o.workers.workers = workers;
    o.batch = 12 * workers;
    o.optimizer = OptimizerOptions(rule);
    return o;
  }

  // The same call at every rank; stop(rank) makes each rank's answer to whether to stop.
  void run_ranked(const TrainOptions& o, bool resume = false,
                  const std::function<std::function<StopReason()>(size_t)>& stop = {}) {
    run_ranks(static_cast<size_t>(o.workers.workers), kLong, [&](Communicator& world) {
      TrainControl control;
      control.resume = resume;
      control.world = &world;
      if (stop) control.stop = stop(world.rank());
      TrainObserver silent;
      train(o, engines_, control, silent);
    });
  }

  // That rank has had enough after so many steps.
  static auto enough_at(size_t rank, int steps) {
    return [=](size_t r) -> std::function<StopReason()> {
      if (r != rank) return [] { return StopReason::kNone; };
      return [left = steps]() mutable { return --left <= 0 ? StopReason::kTime : StopReason::kNone; };
    };
  }

  std::vector<std::string> checkpoint_files(const std::string& name) const {
    return names_in(folder_.path(name + "/checkpoints"));
  }

  // Every tensor of every rank's newest checkpoint.
  std::vector<std::byte> everything(const std::string& name, size_t ranks) const {
    std::vector<std::byte> all;
    for (size_t r = 0; r < ranks; ++r) {
      const SafetensorsFile file(rank_checkpoint(find_checkpoint(folder_.path(name)), r));
      for (const TensorEntry& t : file.tensors()) all.insert(all.end(), t.bytes.begin(), t.bytes.end());
    }
    return all;
  }
};

TEST_F(RanksTest, EachWorkersStateIsKeptAndTheRunGoesOnToTheSameBytes) {
  for (const auto& [rule, workers] :
       {std::pair<const char*, int64_t>{"signum", 2}, {"sgd", 3}, {"ef-signsgd", 4}, {"lion", 5}}) {
    SCOPED_TRACE(fmt::format("{} over {}", rule, workers));
    const auto ranks = static_cast<size_t>(workers);
    const std::string whole = rule, parts = whole + "-parts";
    run_ranked(options_of(whole, workers, rule));
    run_ranked(options_of(parts, workers, rule), false, enough_at(ranks - 1, 2));  // within the first epoch
    EXPECT_EQ(figures(parts).size(), 0u);
    run_ranked(options_of(parts, workers, rule), true);
    EXPECT_EQ(everything(parts, ranks), everything(whole, ranks));
    EXPECT_EQ(figures(parts), figures(whole));
    EXPECT_EQ(figures(whole).size(), 2u);
    EXPECT_EQ(checkpoint_files(whole).size(), 2 * ranks) << "the last two, of each rank";
  }
}

TEST_F(RanksTest, TheSwitchWithItsBlendIsTakenTogether) {
  for (const char* direction : {"gradient", "momentum"}) {
    const auto options_with_switch = [&](const std::string& name) {
      TrainOptions o = options_of(name, 3);
      OptionList list = option_list(o);
      list.set("switch_when", "at");
      list.set("switch_at", "0.4");
      list.set("switch_blend", "3");
      list.set("switch_direction", direction);
      list.set("dither", "relative");
      return o;
    };
    const std::string whole = std::string("whole-") + direction, parts = std::string("parts-") + direction;
    run_ranked(options_with_switch(whole));
    const auto lines = figures(whole);
    ASSERT_EQ(lines.back()["phase"], "sgd") << "or the switch was never taken";
    // 240 images in batches of 36: 7 steps an epoch, the switch after the sixth, then three of blend. One stop each in
    // the sign phase, the blend and the SGD phase.
    run_ranked(options_with_switch(parts), false, enough_at(1, 4));
    run_ranked(options_with_switch(parts), true, enough_at(0, 3));
    run_ranked(options_with_switch(parts), true, enough_at(2, 5));
    run_ranked(options_with_switch(parts), true);
    EXPECT_EQ(everything(parts, 3), everything(whole, 3));
    EXPECT_EQ(figures(parts), lines);
    // All ranks hold the same from the switch on.
    const std::string newest = find_checkpoint(folder_.path(whole));
    const SafetensorsFile first(newest), third(rank_checkpoint(newest, 2));
    for (const TensorEntry& t : first.tensors()) {
      const TensorEntry* other = third.find(t.name);
      ASSERT_NE(other, nullptr) << t.name;
      EXPECT_TRUE(std::equal(t.bytes.begin(), t.bytes.end(), other->bytes.begin(), other->bytes.end())) << t.name;
    }
  }
}

TEST_F(RanksTest, BytesAreLoggedBesideThoseOfFloat32) {
  TrainOptions o = options_of("run", 4);
  OptionList list = option_list(o);
  list.set("switch_when", "at");
  list.set("switch_at", "0.5");
  list.set("switch_blend", "0");
  run_ranked(o);
  const auto lines = figures("run");
  const auto first = lines[0]["wire"], second = lines[1]["wire"];
  EXPECT_GT(first["vote"], 0);
  EXPECT_EQ(first["gradient"], 0);
  EXPECT_EQ(second["vote"], 0);
  EXPECT_GE(second["gradient"], second["float32"]);
  EXPECT_LT(second["gradient"], 1.1 * second["float32"].get<double>()) << "what lies between tensors travels too";
  EXPECT_LT(first["vote"], first["float32"]) << "tensors of a few elements, and a float32 look at each for the switch";
  run(options("alone"));
  EXPECT_FALSE(figures("alone")[0].contains("wire"));
}

TEST_F(RanksTest, FiguresAreThoseOfAllWorkersImages) {
  TrainOptions o = options_of("run", 5, "sgd");
  o.batch = 50;
  o.limit_train = 233;  // 33 in the last batch: 6 for each, 3 left over
  o.epochs = 1;
  run_ranked(o);
  const auto line = figures("run").back();
  const double images = line["train_accuracy"].get<double>() / 100 * 230;
  EXPECT_NEAR(images, std::round(images), 1e-9) << "a share of 230 images";
  EXPECT_EQ(line["step"], 5);
}

TEST_F(RanksTest, ADifferenceIsNamedAtTheStart) {
  const auto refusal = [&](const std::function<void(TrainOptions&, size_t)>& change) {
    const std::string name = fmt::format("run{}", names_in(folder_.path()).size());
    return message_of<EnvironmentError>([&] {
      run_ranks(3, kLong, [&](Communicator& world) {
        TrainOptions o = options_of(name, 3);
        change(o, world.rank());
        TrainControl control;
        control.world = &world;
        TrainObserver silent;
        train(o, engines_, control, silent);
      });
    });
  };
  EXPECT_THAT(refusal([](TrainOptions& o, size_t rank) { o.seed += rank == 1; }),
              HasSubstr("seed is '2' at rank 1 and '1' at rank 0"));
  EXPECT_THAT(
      refusal([](TrainOptions& o, size_t rank) { o.optimizer.set("learning_rate", rank == 2 ? "0.1" : "0.2"); }),
      HasSubstr("learning_rate is '0.1' at rank 2 and '0.2' at rank 0"));
  // These change what ranks say to each other, and when: gloo ends a process that hears more than it waits for.
  EXPECT_THAT(refusal([](TrainOptions& o, size_t rank) { o.network.width = rank == 1 ? 4 : 8; }),
              HasSubstr("width is '4' at rank 1 and '8' at rank 0"));
  EXPECT_THAT(refusal([](TrainOptions& o, size_t rank) { o.checkpoint_every = rank == 1; }),
              HasSubstr("checkpoint_every is '1' at rank 1 and '0' at rank 0"));
  EXPECT_THAT(refusal([&](TrainOptions& o, size_t rank) { o.output += rank == 1 ? "-own" : ""; }),
              HasSubstr("-own' at rank 1 and"));
  write_cifar10_fixture(folder_.path("other"), 60, 2);
  EXPECT_THAT(refusal([&](TrainOptions& o, size_t rank) { o.data = folder_.path(rank == 1 ? "other" : "data"); }),
              HasSubstr("checksum of the images is"));
}

TEST_F(RanksTest, WhatCannotBeIsRefusedBeforeAnythingIsWritten) {
  const auto refusal = [&](const std::function<void(TrainOptions&)>& change) {
    TrainOptions o = options_of("refused", 4);
    change(o);
    return message_of<OptionError>([&] { run_ranked(o); });
  };
  EXPECT_THAT(refusal([](TrainOptions& o) { o.batch = 30; }), HasSubstr("no equal shares for 4 workers"));
  EXPECT_THAT(refusal([](TrainOptions& o) { o.analyze_every = 2; }), HasSubstr("analyze_every"));
  EXPECT_THAT(refusal([](TrainOptions& o) { option_list(o).set("zero", "plus"); }), HasSubstr("use --zero random"));
  EXPECT_THAT(refusal([](TrainOptions& o) { o.workers.adversaries = 4; }), HasSubstr("4 of 4 workers are adversaries"));
  EXPECT_THAT(refusal([](TrainOptions& o) {
                o.optimizer = OptimizerOptions("sgd");
                o.workers.adversaries = 1;
              }),
              HasSubstr("sgd takes the mean gradient"));
  TrainOptions alone = options_of("refused", 4);
  EXPECT_THAT(message_of<OptionError>([&] { run(alone); }), HasSubstr("4 workers, and 1 ranks are here"));
  EXPECT_FALSE(fs::exists(folder_.path("refused")));
}

TEST_F(RanksTest, ACheckpointThatLacksARankIsPassedOver) {
  run_ranked(options_of("whole", 3));
  TrainOptions o = options_of("parts", 3);
  o.checkpoint_every = 1;
  run_ranked(o, false, enough_at(0, 5));
  const std::string newest = find_checkpoint(o.output), part = rank_checkpoint(newest, 1);
  fs::resize_file(part, fs::file_size(part) - 1);
  run_ranked(o, true);
  EXPECT_EQ(everything("parts", 3), everything("whole", 3));
  // A part of another moment is not this checkpoint's.
  const auto all = list_checkpoints(o.output);
  ASSERT_EQ(all.size(), 2u);
  fs::copy_file(rank_checkpoint(all[1], 2), rank_checkpoint(all[0], 2), fs::copy_options::overwrite_existing);
  fs::remove(rank_checkpoint(all[1], 1));
  EXPECT_THAT(message_of<CheckpointError>([&] { run_ranked(o, true); }), HasSubstr("is not the file that"));
}

// After its figures an epoch is saved once more. A process that dies between the ranks' writing then leaves some new
// and some old files, which must be one checkpoint.
TEST_F(RanksTest, OldAndNewFilesOfOneStepAreOneCheckpoint) {
  struct Keep : TrainObserver {
    void evaluating(const char* what) override {
      if (what != std::string("test")) return;
      const std::string newest = find_checkpoint(folder);
      fs::copy_file(newest, kept, fs::copy_options::overwrite_existing);
    }
    std::string folder, kept;
  };
  const auto before_figures = [&](const TrainOptions& o, const std::string& kept) {
    run_ranks(3, kLong, [&](Communicator& world) {
      TrainControl control;
      control.world = &world;
      Keep keep;
      keep.folder = o.output;
      keep.kept = kept;
      TrainObserver silent;
      train(o, engines_, control, world.rank() == 0 ? keep : silent);
    });
  };
  TrainOptions o = options_of("run", 3);
  const std::string kept = folder_.path("before.safetensors");
  before_figures(o, kept);
  const auto bytes = everything("run", 3);
  const auto lines = figures("run");
  const std::string newest = find_checkpoint(o.output);
  ASSERT_NE(SafetensorsFile(kept).metadata().at("signstep.sha256"),
            SafetensorsFile(newest).metadata().at("signstep.sha256"));
  fs::copy_file(kept, newest, fs::copy_options::overwrite_existing);
  for (const std::string& path : list_checkpoints(o.output))
    if (path != newest) fs::remove(path);  // nothing else to go on from
  run_ranked(o, true);
  EXPECT_EQ(everything("run", 3), bytes);
  EXPECT_EQ(figures("run"), lines);
}

// 600 images are three batches, one for each rank.
TEST_F(RanksTest, EvaluationTakesTurnsToTheSameBits) {
  write_cifar10_fixture(folder_.path("many"), 600, 3);
  const auto few_of_many = [&](const char* name, int64_t workers) {
    TrainOptions o = options_of(name, workers, "sgd");
    o.data = folder_.path("many");
    o.limit_train = 240;
    return o;
  };
  run_ranked(few_of_many("run", 3));
  const auto line = figures("run").back();
  TrainOptions o = few_of_many("again", 1);
  o.init = find_checkpoint(folder_.path("run"));
  o.optimizer.set("learning_rate", "1e-30");
  o.optimizer.set("l2_penalty", "0");
  o.epochs = 1;
  const RunImages images(o);
  ASSERT_EQ(images.test->batches_per_epoch(), 3u);
  const EngineChoice choice = choose_engine(engines_, o.engine, make_network(o.network, 3, 10));
  const auto engine = choice.make(make_network(o.network, 3, 10));
  load_weights(o.init, *engine);
  const Evaluation test = evaluate(*engine, *images.test), validation = evaluate(*engine, *images.validation);
  EXPECT_EQ(test.loss, line["test_loss"].get<double>());
  EXPECT_EQ(test.accuracy, line["test_accuracy"].get<double>());
  EXPECT_EQ(validation.loss, line["validation_loss"].get<double>());
}

}  // namespace
}  // namespace signstep
