// SPDX-License-Identifier: Apache-2.0
// A run that looks at its gradient on the way is the run that does not.
#include <nlohmann/json.hpp>

#include "signstep/io/config.h"
#include "signstep/io/json_lines.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/checkpoint.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

// Batch norm's running statistics and the gradient are given back, so the weights are those of a run without.
TEST_F(TrainTest, AnalyzeEveryChangesNoByteOfTheCheckpoint) {
  for (const std::string name : {"signum", "sgd", "adamw"}) {
    TrainOptions without = options("without" + name), with = options("with" + name), parts = options("parts" + name);
    for (TrainOptions* o : {&without, &with, &parts}) {
      o->optimizer = OptimizerOptions(name);
      o->batch = 28;  // of 240 images: the ninth batch has 16
      if (name == "signum") o->dither.dither = DitherKind::kRelative;
    }
    with.analyze_every = parts.analyze_every = 3;
    run(without);
    run(with);
    run(parts, stop_after(4));
    run(parts, stop_after(3, true));
    run(parts, resuming());
    EXPECT_EQ(parameters("with" + name), parameters("without" + name)) << name;
    EXPECT_EQ(parameters("parts" + name), parameters("without" + name)) << name;

    auto records = read_json_lines(folder_.path("with" + name + "/metrics.jsonl"));
    auto pieces = read_json_lines(folder_.path("parts" + name + "/metrics.jsonl"));
    const auto plain = read_json_lines(folder_.path("without" + name + "/metrics.jsonl"));
    EXPECT_FALSE(plain[0].contains("probe"));
    for (auto* list : {&records, &pieces})
      for (auto& r : *list) r.erase("train_seconds"), r.erase("images_per_second"), r["probe"].erase("seconds");
    EXPECT_EQ(records, pieces) << name;
    EXPECT_EQ(records[0]["probe"]["step"], nlohmann::ordered_json({3, 6, 9}));
    EXPECT_EQ(records[1]["probe"]["step"], nlohmann::ordered_json({12, 15, 18}));
    for (const auto& density : records[1]["probe"]["density"]) {
      EXPECT_GT(density, 0);
      EXPECT_LE(density, 1);
    }
  }
}

TEST_F(TrainTest, AnalyzeEveryOnTheAvx512EngineToo) {
  TrainOptions o = options("without");
  o.network.width = 16;
  o.engine.precision = Precision::kAuto;
  if (const std::string obstacle = obstacle_of(ProductUnit::kVector); !obstacle.empty()) GTEST_SKIP() << obstacle;
  engines_ = {avx512_engine()};
  run(o);
  o.output = folder_.path("with");
  o.analyze_every = 1;
  run(o);
  EXPECT_EQ(parameters("with"), parameters("without"));
}

// Recorded before the option existed: a run that says nothing of it has it off.
TEST_F(TrainTest, ARunRecordedWithoutAnalyzeEveryResumes) {
  run(options("old"), stop_after(3));
  TrainOptions recorded;
  OptionList list = option_list(recorded);
  auto config = Checkpoint(find_checkpoint(folder_.path("old"))).identity().options;
  ASSERT_EQ(config.erase("analyze_every"), 1u);
  from_json(config, list);
  EXPECT_EQ(recorded.analyze_every, 0);
  run(recorded, resuming());
  run(options("whole"));
  EXPECT_EQ(parameters("old"), parameters("whole"));
}

}  // namespace
}  // namespace signstep
