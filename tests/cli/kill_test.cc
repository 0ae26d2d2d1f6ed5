// SPDX-License-Identifier: Apache-2.0
// A run that is killed at random moments and resumed ends with the bytes of one that was left alone.
#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "signstep/io/safetensors.h"
#include "signstep/random/random.h"
#include "signstep/runs/run_folder.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

std::vector<std::string> train_arguments(const TemporaryFolder& folder, const std::string& name,
                                         const char* epochs = "3") {
  return {"train",
          "--data",
          folder.path("data"),
          "--output",
          folder.path(name),
          "--width",
          "4",
          "--epochs",
          epochs,
          "--batch",
          "25",
          "--validation",
          "50",
          "--threads",
          "1",
          "--checkpoint-every",
          "1"};
}

std::vector<std::byte> final_tensors(const std::string& run) {
  const SafetensorsFile file(find_checkpoint(run));
  std::vector<std::byte> all;
  for (const TensorEntry& t : file.tensors()) all.insert(all.end(), t.bytes.begin(), t.bytes.end());
  return all;
}

// The newest checkpoint's name, or "" before the first.
std::string newest(const std::string& run) {
  const auto all = list_checkpoints(run);
  return all.empty() ? "" : all.front();
}

TEST(Kill, ResumingAfterSigkillGivesTheSameBytes) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("data"), 60, 1);
  Program whole(train_arguments(folder, "whole", "8"));
  ASSERT_EQ(whole.wait(), 0) << whole.output();

  const std::string run = folder.path("parts");
  int killed = 0;
  for (uint64_t attempt = 0; attempt < 6; ++attempt) {
    auto arguments = train_arguments(folder, "parts", "8");
    if (std::ifstream(run + "/config.toml")) arguments.push_back("--resume");
    const std::string before = newest(run);
    Program part(arguments);
    // The first two die anywhere while the program loads; the others at a random moment once they have got on.
    const uint32_t random = Stream(77, Purpose::kSample).word(attempt);
    if (attempt < 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random % 1000));
    } else {
      for (int i = 0; i < 6000 && newest(run) == before; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      std::this_thread::sleep_for(std::chrono::microseconds(random % 60000));
    }
    part.signal(SIGKILL);
    const int code = part.wait();
    killed += code == 128 + SIGKILL;
    ASSERT_TRUE(code == 0 || code == 128 + SIGKILL) << part.output();
  }
  EXPECT_GE(killed, 3);
  auto arguments = train_arguments(folder, "parts", "8");
  arguments.push_back("--resume");
  Program last(arguments);
  ASSERT_EQ(last.wait(), 0) << last.output();
  EXPECT_EQ(final_tensors(folder.path("whole")), final_tensors(run));
}

TEST(Kill, SignalsSaveAndSayHowToResume) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("data"), 60, 1);
  for (const auto& [number, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 143}}) {
    const std::string name = "signal" + std::to_string(number);
    Program program(train_arguments(folder, name, "10000"));
    ASSERT_TRUE(program.saw("epoch   1")) << program.output();
    program.signal(number);
    EXPECT_EQ(program.wait(), code) << program.output();
    EXPECT_THAT(program.output(), testing::HasSubstr("train --resume --output " + folder.path(name)));
    EXPECT_FALSE(list_checkpoints(folder.path(name)).empty());
  }
  auto arguments = train_arguments(folder, "timed");
  arguments.insert(arguments.end(), {"--stop-after", "0.01s"});
  Program program(arguments);
  EXPECT_EQ(program.wait(), 75) << program.output();
}

}  // namespace
}  // namespace signstep
