// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/checkpoint.h"

#include "signstep/base/error.h"
#include "signstep/io/safetensors.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/still_engine.h"

namespace signstep {
namespace {

using nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    progress_.epoch = 1;
    progress_.metrics = {{.epoch = 1, .test_accuracy = 50}};
    save_checkpoint(path_, learner_, progress_, {.options = {{"epochs", 2}}, .data_sha256 = "ab"});
  }

  std::string state_text() const { return SafetensorsFile(path_).metadata().at("signstep.state"); }

  // The checkpoint with another text as its state, checksum and all.
  void write_state(const std::string& text) const {
    const SafetensorsFile file(path_);
    Metadata metadata = file.metadata();
    metadata["signstep.state"] = text;
    write_safetensors(path_, file.tensors(), metadata);
  }

  std::string refusal() {
    TrainProgress progress;
    return message_of<CheckpointError>([&] { Checkpoint(path_).restore(learner_, progress); });
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("step-00000001.safetensors");
  Learner learner_{std::make_unique<StillEngine>(), make_rule(OptimizerOptions())};
  TrainProgress progress_;
};

TEST_F(CheckpointTest, RoundTrip) {
  TrainProgress progress;
  Checkpoint(path_).restore(learner_, progress);
  EXPECT_EQ(progress.epoch, 1u);
  EXPECT_EQ(fields_json(progress.metrics), fields_json(progress_.metrics));
  EXPECT_EQ(Checkpoint(path_).identity().options["epochs"], 2);
  EXPECT_EQ(Checkpoint(path_).identity().data_sha256, "ab");
}

TEST_F(CheckpointTest, AWrongTypeInTheStateIsNamedWithFileAndKey) {
  const struct {
    const char *key, *value, *message;
  } cases[] = {{"/version", "\"1\"", "version is \"1\"; wanted a whole number"},
               {"/version", "7", "format version 7; this program reads version"},
               {"/metrics", "[1, 2]", "metrics[0] is 1; wanted an object"},
               {"/metrics", "5", "metrics is 5; wanted a list"},
               {"/curve", "[]", "curve is a list; wanted an object"},
               {"/epoch", "-1", "epoch is -1; wanted a whole number of 0 or more"},
               {"/loss_sum", "null", "loss_sum is null; wanted a number"},
               {"/sign", "3", "sign is 3; wanted an object"},
               {"/sign/dither_rms", "[null]", "sign.dither_rms[0] is null; wanted a number"},
               {"/sign/switch/phase", "4294967296", "sign.switch.phase is 4294967296; wanted 0 to 2"},
               {"/sign/switch/rates", "{}", "sign.switch.rates is an object; wanted a list"}};
  const ordered_json good = ordered_json::parse(state_text());
  for (const auto& c : cases) {
    ordered_json state = good;
    state.at(ordered_json::json_pointer(c.key)) = ordered_json::parse(c.value);
    write_state(state.dump());
    EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr(c.message), HasSubstr("use another"))) << c.key;
  }
  ordered_json state = good;
  state.erase("config");
  write_state(state.dump());
  EXPECT_THAT(message_of<CheckpointError>([&] { Checkpoint(path_).identity(); }), HasSubstr("config is absent"));
}

TEST_F(CheckpointTest, ADeepStateIsRefusedNotFollowed) {
  std::string text = state_text();
  const std::string from = "\"curve\":{}";
  ASSERT_NE(text.find(from), std::string::npos);
  text.replace(text.find(from), from.size(), "\"curve\":" + std::string(200'000, '[') + std::string(200'000, ']'));
  write_state(text);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("more than 64 lists")));
  write_state("{\"version\":1");
  EXPECT_THAT(refusal(), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace signstep
