// SPDX-License-Identifier: Apache-2.0
// Runs that start from the weights of another.
#include <gmock/gmock.h>

#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/train/checkpoint.h"
#include "tests/support/message_of.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FirstWeightsTest : public TrainTest {
 protected:
  // Weights of a run of one epoch with another seed.
  std::string other_weights() {
    TrainOptions o = options("weights");
    o.epochs = 1;
    o.seed = 9;
    run(o);
    return find_checkpoint(o.output);
  }
};

TEST_F(FirstWeightsTest, FirstWeightsArePartOfTheRun) {
  TrainOptions o = options("whole");
  o.init = other_weights();
  run(o);
  run(options("random"));
  EXPECT_NE(parameters("whole"), parameters("random"));

  // Without a checkpoint the run starts again from the same weights.
  o.output = folder_.path("parts");
  run(o, stop_after(3));
  for (const std::string& path : list_checkpoints(o.output)) fs::remove(path);
  run(recorded("parts"), resuming());
  EXPECT_EQ(parameters("parts"), parameters("whole"));
  EXPECT_EQ(figures("parts"), figures("whole"));

  TrainOptions again = recorded("whole");
  again.output = folder_.path("again");
  run(again);
  EXPECT_EQ(parameters("again"), parameters("whole"));
}

TEST_F(FirstWeightsTest, ChangedFirstWeightsAreRefused) {
  TrainOptions o = options("run");
  o.init = other_weights();
  run(o, stop_after(3));
  run(options("another"));
  fs::copy_file(find_checkpoint(folder_.path("another")), o.init, fs::copy_options::overwrite_existing);
  TrainOptions again = recorded("run");
  again.output = folder_.path("again");
  EXPECT_THAT(message_of<CheckpointError>([&] { run(again); }), HasSubstr("the run started from weights with"));
  EXPECT_FALSE(fs::exists(again.output));
  run(recorded("run"), stop_after(2, true));  // its checkpoint is all that it needs
  for (const std::string& path : list_checkpoints(o.output)) fs::remove(path);
  EXPECT_THAT(resume_refusal(recorded("run")), HasSubstr("the run started from weights with"));
  fs::remove(o.init);
  EXPECT_THAT(message_of<EnvironmentError>([&] { run(recorded("run"), resuming()); }), HasSubstr(o.init));
}

TEST_F(FirstWeightsTest, FirstWeightsCannotBeAddedLater) {
  run(options("run"), stop_after(3));
  TrainOptions o = recorded("run");
  o.init = other_weights();
  EXPECT_THAT(message_of<OptionError>([&] { run(o, resuming()); }), HasSubstr("started from random weights"));
  o.init = "";
  o.init_sha256 = "00";
  EXPECT_THAT(message_of<OptionError>([&] { run(o, resuming()); }), HasSubstr("without init"));
}

}  // namespace
}  // namespace signstep
