// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/checkpoint.h"

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
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

// A file of format version 2, byte for byte as it was written when that version was the newest: a step of Signum on two
// numbers, in the middle of the second epoch. It stays readable, whatever later versions hold.
constexpr const char* kVersion2 =
    R"({"__metadata__":{"format":"pt","signstep.sha256":"ddb25e21ace6c71b4884e7002091980b4bfe3982e76e9003ef)"
    R"(c24085e40266a7","signstep.state":"{\"version\":2,\"config\":{\"optimizer\":\"signum\",\"epochs\":\"2)"
    R"(\"},\"data_sha256\":\"ab\",\"optimizer_step\":7,\"sign\":{\"dither_rms\":[],\"switch\":{\"phase\":0,)"
    R"(\"steps\":0,\"switched_after\":0,\"blended\":0,\"refused\":false,\"lambda\":[],\"estimates\":[],\"se)"
    R"(ttled\":[],\"rates\":[]}},\"epoch\":1,\"batch\":3,\"loss_sum\":2.25,\"images\":96,\"correct\":40,\"p)"
    R"(oint_loss_sum\":0.0,\"point_images\":0,\"point_correct\":0,\"nonfinite\":0,\"train_seconds\":12.5,\")"
    R"(curve\":{},\"metrics\":[{\"epoch\":1,\"step\":4,\"learning_rate\":0.001,\"train_loss\":1.25,\"train_)"
    R"(accuracy\":40.0,\"validation_loss\":null,\"validation_accuracy\":null,\"test_loss\":1.0,\"test_accur)"
    R"(acy\":50.0,\"nonfinite\":0,\"curve\":{\"step\":[2,4],\"loss\":[1.5,1.0],\"learning_rate\":[0.001,0.0)"
    R"(01]},\"phase\":\"sign\",\"train_seconds\":null,\"images_per_second\":null}]}"},"w":{"dtype":"F32","s)"
    R"(hape":[2],"data_offsets":[0,8]},"optimizer.m.w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
constexpr size_t kHeaderBytes = 1104;  // with the blanks that align the tensors
constexpr float kTensors[] = {1.5f, -2, 0.25f, -0.5f};

TEST(CheckpointVersion, TheSecondStaysReadable) {
  const TemporaryFolder folder;
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(kHeaderBytes & 0xff);
  bytes[1] = static_cast<char>(kHeaderBytes >> 8);
  bytes += kVersion2;
  bytes.resize(8 + kHeaderBytes, ' ');
  bytes.append(reinterpret_cast<const char*>(kTensors), sizeof kTensors);
  write_file_atomic(folder.path("golden.safetensors"), bytes);
  const Checkpoint checkpoint(folder.path("golden.safetensors"));
  EXPECT_EQ(checkpoint.step(), 7u);
  EXPECT_EQ(checkpoint.identity().options["optimizer"], "signum");
  EXPECT_EQ(checkpoint.identity().data_sha256, "ab");
  Learner learner(std::make_unique<StillEngine>(), make_rule(OptimizerOptions()));
  TrainProgress progress;
  checkpoint.restore(learner, progress);
  EXPECT_EQ(learner.engine().values()[0], 1.5f);
  EXPECT_EQ(learner.engine().values()[1], -2);
  EXPECT_EQ(learner.state().step, 7u);
  EXPECT_EQ(learner.state().buffer("m")[0], 0.25f);
  EXPECT_EQ(learner.state().buffer("m")[1], -0.5f);
  EXPECT_EQ(progress.epoch, 1u);
  EXPECT_EQ(progress.batch, 3u);
  EXPECT_EQ(progress.sums.loss, 2.25);
  EXPECT_EQ(progress.sums.correct, 40u);
  EXPECT_EQ(progress.train_seconds, 12.5);
  ASSERT_EQ(progress.metrics.size(), 1u);
  EXPECT_EQ(progress.metrics[0].test_accuracy, 50);
  EXPECT_EQ(progress.metrics[0].course.curve.step.size(), 2u);
  EXPECT_EQ(progress.metrics[0].course.phase, "sign");
}

}  // namespace
}  // namespace signstep
