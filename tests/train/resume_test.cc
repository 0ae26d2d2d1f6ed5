// SPDX-License-Identifier: Apache-2.0
// What a resumed run takes, refuses and leaves alone.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "signstep/base/error.h"
#include "signstep/train/checkpoint.h"
#include "tests/support/message_of.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ResumeTest : public TrainTest {
 protected:
  // Every file but the log, with its bytes.
  std::map<std::string, std::string> content(const std::string& name) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path(name)))
      if (entry.is_regular_file()) all[entry.path().string()] = read_text_file(entry.path().string());
    return all;
  }
};

TEST_F(ResumeTest, AChangedSettingIsRefusedByName) {
  run(options("run"), stop_after(3));
  TrainOptions changed = recorded("run");
  changed.optimizer.set("learning_rate", "0.5");
  EXPECT_THAT(resume_refusal(changed), HasSubstr("learning_rate '0.001', and config.toml says '0.5'"));
  // Before the first checkpoint the record is what is left to tell.
  for (const std::string& path : list_checkpoints(folder_.path("run"))) fs::remove(path);
  EXPECT_THAT(resume_refusal(changed), HasSubstr("run.json is of a run with learning_rate '0.001'"));
}

// What is resumable changes neither the run nor its weights; of the rest nothing may change.
TEST_F(ResumeTest, RolesSayWhatMayChange) {
  run(options("whole"));
  run(options("run"), stop_after(3));
  TrainOptions changed = recorded("run");
  OptionList list = option_list(changed);
  for (const auto& [name, value] : {std::pair{"seed", "2"},
                                    {"epochs", "3"},
                                    {"batch", "30"},
                                    {"flip", "false"},
                                    {"network", "resnet20"},
                                    {"momentum", "0.8"},
                                    {"zero", "plus"},
                                    {"dither", "relative"},
                                    {"schedule", "linear"},
                                    {"milestones", "0.5,0.9"},
                                    {"on_nonfinite", "skip"}}) {
    const std::string before = list.find(name)->text();
    list.set(name, value);
    EXPECT_THAT(resume_refusal(changed),
                HasSubstr(fmt::format("{} '{}', and config.toml says '{}'", name, before, list.find(name)->text())));
    list.set(name, before);
  }
  for (const auto& [name, value] :
       {std::pair{"loader_threads", "2"}, {"checkpoint_every", "2"}, {"analyze_every", "2"}})
    list.set(name, value);
  fs::rename(folder_.path("data"), folder_.path("elsewhere"));
  list.set("data", folder_.path("elsewhere"));
  run(changed, resuming());
  EXPECT_EQ(parameters("run"), parameters("whole"));
}

TEST_F(ResumeTest, ACheckpointOfAnotherRunIsRefused) {
  TrainOptions other = options("other");
  other.seed = 2;
  run(other);
  run(options("run"), stop_after(3));
  const std::string foreign = list_checkpoints(other.output).front();
  fs::copy_file(foreign, folder_.path("run/checkpoints/" + fs::path(foreign).filename().string()));
  EXPECT_THAT(resume_refusal(recorded("run")), HasSubstr("seed '2', and config.toml says '1'"));
  EXPECT_EQ(figures("run").size(), 0u);
}

TEST_F(ResumeTest, ChangedImagesAreNoticedWithoutTheRecord) {
  run(options("run"), stop_after(3));
  write_cifar10_fixture(folder_.path("data"), 60, 2);
  for (const char* text : {"", "{}", "[]", "{\"data\":5,\"started\":1}", "not JSON"}) {
    fs::remove(folder_.path("run/run.json"));
    if (*text) write_file_atomic(folder_.path("run/run.json"), text);
    EXPECT_THAT(resume_refusal(recorded("run")), HasSubstr("of a run on images with checksum")) << text;
  }
}

TEST_F(ResumeTest, AFinishedRunIsLeftAlone) {
  run(options("run"));
  fs::remove(folder_.path("run/log.txt"));
  const auto before = content("run");
  struct Notes : TrainObserver {
    void note(const std::string& message) override { all += message + "\n"; }
    std::string all;
  } notes;
  const TrainResult result = train(recorded("run"), engines_, resuming(), notes);
  EXPECT_EQ(result.last_epoch->epoch, 2u);
  EXPECT_THAT(notes.all, HasSubstr("the run is finished already"));
  EXPECT_EQ(content("run"), before);
}

TEST_F(ResumeTest, EveryContinuationIsListed) {
  run(options("run"), stop_after(3));
  const auto first = record("run");
  run(recorded("run"), stop_after(2, true));
  run(recorded("run"), resuming());
  const auto last = record("run");
  EXPECT_EQ(last["program"], first["program"]);
  EXPECT_EQ(last["started"], first["started"]);
  ASSERT_EQ(last["sessions"].size(), 3u);
  EXPECT_EQ(last["sessions"][0]["step"], 0);
  EXPECT_EQ(last["sessions"][1]["step"], 3);
  EXPECT_EQ(last["sessions"][2]["step"], 5);
  for (const char* key : {"started", "program", "machine", "engine"})
    EXPECT_TRUE(last["sessions"][2].contains(key)) << key;
}

// Version 0.1 wrote no sessions, no options and, into its checkpoints, no checksum of the data.
TEST_F(ResumeTest, ARunOfVersion01GoesOn) {
  run(options("run"), stop_after(3));
  auto old = nlohmann::ordered_json::parse(read_text_file(folder_.path("run/run.json")));
  old.erase("sessions");
  old.erase("options");
  old["program"]["version"] = "0.0.9";
  write_file_atomic(folder_.path("run/run.json"), old.dump());
  const std::string path = find_checkpoint(folder_.path("run"));
  {
    const SafetensorsFile file(path);
    Metadata metadata = file.metadata();
    auto state = nlohmann::ordered_json::parse(metadata.at("signstep.state"));
    state["version"] = 1;
    state.erase("data_sha256");
    state["config"].erase("init");
    state["config"].erase("init_sha256");
    metadata["signstep.state"] = state.dump();
    metadata.erase("signstep.sha256");
    write_safetensors(path, file.tensors(), metadata);
  }
  run(recorded("run"), resuming());
  run(options("whole"));
  EXPECT_EQ(parameters("run"), parameters("whole"));
  EXPECT_EQ(record("run")["sessions"].size(), 2u);
  EXPECT_EQ(record("run")["sessions"][0]["program"]["version"], "0.0.9");
}

// Killed while accuracy is measured: the epoch's steps are saved, and the figures come out the same.
TEST_F(ResumeTest, AnEpochIsSavedBeforeItIsMeasured) {
  run(options("whole"));
  struct Killed {};
  struct Killer : TrainObserver {
    void evaluating(const char*) override { throw Killed(); }
  } killer;
  EXPECT_THROW(train(options("run"), engines_, {}, killer), Killed);
  ASSERT_EQ(list_checkpoints(folder_.path("run")).size(), 1u);
  EXPECT_EQ(list_checkpoints(folder_.path("run")).front(), folder_.path("run/checkpoints/step-00000008.safetensors"));
  EXPECT_EQ(figures("run").size(), 0u);
  EXPECT_THROW(train(recorded("run"), engines_, resuming(), killer), Killed);  // measured first, without a step
  EXPECT_EQ(list_checkpoints(folder_.path("run")).size(), 1u);
  run(recorded("run"), resuming());
  EXPECT_EQ(parameters("run"), parameters("whole"));
  EXPECT_EQ(figures("run"), figures("whole"));
}

TEST_F(ResumeTest, MeasuringStopsBetweenBatches) {
  run(options("whole"));
  // Seven of the epoch's eight steps ask, then each batch of validation and test images does.
  for (const int asked : {8, 9}) {
    const std::string name = "parts" + std::to_string(asked);
    EXPECT_EQ(run(options(name), stop_after(asked)).stopped, StopReason::kTime);
    EXPECT_EQ(figures(name).size(), 0u);
    EXPECT_EQ(record(name)["status"], "stopped");
    run(recorded(name), resuming());
    EXPECT_EQ(parameters(name), parameters("whole"));
    EXPECT_EQ(figures(name), figures("whole"));
  }
}

// Else a job script whose sessions are short would measure for ever.
TEST_F(ResumeTest, ASessionWhoseTimeIsOverMeasuresWhereItDidNothingElse) {
  run(options("run"), stop_after(8));
  ASSERT_EQ(figures("run").size(), 0u);
  TrainControl control = resuming();
  control.stop = [] { return StopReason::kTime; };
  EXPECT_EQ(run(recorded("run"), control).stopped, StopReason::kTime);
  EXPECT_EQ(figures("run").size(), 1u);
  control.stop = [] { return StopReason::kInterrupt; };  // somebody waits
  run(recorded("run"), control);
  EXPECT_EQ(figures("run").size(), 1u);
}

// It would count as one of the two that are kept, and the next to go would be a sound one.
TEST_F(ResumeTest, ADamagedCheckpointIsSetAside) {
  run(options("whole"));
  TrainOptions o = options("run");
  o.checkpoint_every = 1;
  run(o, stop_after(3));
  const std::string newest = find_checkpoint(o.output);
  std::string bytes = read_text_file(newest);
  bytes[bytes.size() / 2] ^= 1;
  write_file_atomic(newest, bytes);
  fs::create_symlink("/nowhere", o.output + "/checkpoints/step-00000099.safetensors");
  run(recorded("run"), resuming());
  EXPECT_EQ(parameters("run"), parameters("whole"));
  EXPECT_TRUE(fs::exists(newest + ".damaged"));
  EXPECT_TRUE(fs::is_symlink(o.output + "/checkpoints/step-00000099.safetensors.damaged"));
  EXPECT_EQ(list_checkpoints(o.output).size(), 2u);
}

TEST_F(ResumeTest, RelativeFoldersHoldFromAnywhere) {
  TrainOptions o = options("run");
  o.data = fs::relative(o.data).string();
  run(o, stop_after(3));
  EXPECT_EQ(recorded("run").data, (fs::current_path() / o.data).lexically_normal().string());
}

TEST_F(ResumeTest, FilesOfSomethingElseAreNotOverwritten) {
  const auto refused = [&] { return message_of<OptionError>([&] { run(options("foreign")); }); };
  make_folders(folder_.path("foreign"));
  write_file_atomic(folder_.path("foreign/metrics.jsonl"), "{\"mine\":1}\n");
  EXPECT_THAT(refused(), HasSubstr("of something else"));
  EXPECT_EQ(content("foreign").size(), 1u);
  EXPECT_FALSE(fs::exists(folder_.path("foreign/checkpoints")));
  EXPECT_EQ(read_text_file(folder_.path("foreign/metrics.jsonl")), "{\"mine\":1}\n");
}

// The error that ended a run is the one that is told, and the record says how it ended.
TEST_F(ResumeTest, MemoryThatRunsOutIsRecorded) {
  struct Exhausted : TrainObserver {
    void batch(const BatchProgress& p) override {
      if (p.batch == 2) throw std::bad_alloc();
    }
  } exhausted;
  EXPECT_THROW(train(options("run"), engines_, {}, exhausted), std::bad_alloc);
  EXPECT_EQ(record("run")["status"], "failed");
}

}  // namespace
}  // namespace signstep
