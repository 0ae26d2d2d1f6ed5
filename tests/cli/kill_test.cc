// SPDX-License-Identifier: Apache-2.0
// A run that is killed at random moments and resumed ends with the bytes of one that was left alone.
#include <gmock/gmock.h>

#include <chrono>
#include <iostream>

#include "signstep/core/random.h"
#include "signstep/io/safetensors.h"
#include "signstep/train/run_folder.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

std::vector<std::string> train_arguments(const TemporaryFolder& folder, const std::string& name, const char* epochs = "3") {
  return {"train", "--data", folder.path("data"), "--output", folder.path(name), "--width", "4", "--epochs", epochs,
          "--batch", "25", "--validation", "50", "--threads", "1", "--checkpoint-every", "1"};
}

std::vector<std::byte> final_tensors(const std::string& run) {
  const SafetensorsFile file(find_checkpoint(run));
  std::vector<std::byte> all;
  for (const TensorEntry& t : file.tensors()) all.insert(all.end(), t.bytes.begin(), t.bytes.end());
  return all;
}

TEST(Kill, ResumingAfterSigkillGivesTheSameBytes) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("data"), 60, 1);
  const auto begin = std::chrono::steady_clock::now();
  Program whole(folder, train_arguments(folder, "whole"));
  ASSERT_EQ(whole.wait(), 0) << whole.output();
  const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);

  int killed = 0;
  bool finished = false;
  for (uint64_t attempt = 0; attempt < 12 && !finished; ++attempt) {
    auto arguments = train_arguments(folder, "parts");
    if (attempt > 0) arguments.push_back("--resume");
    Program part(folder, arguments);
    // Anywhere from loading LibTorch to the last step; the last attempts run to the end.
    const uint32_t moment = Stream(77, Purpose::kSample).word(attempt) % static_cast<uint32_t>(length.count());
    if (attempt < 8) {
      std::this_thread::sleep_for(std::chrono::milliseconds(moment));
      part.signal(SIGKILL);
    }
    const int code = part.wait();
    killed += code == 128 + SIGKILL;
    finished = code == 0;
    if (attempt == 0 && !std::ifstream(folder.path("parts/config.toml"))) --attempt;  // killed before it began
    ASSERT_TRUE(code == 0 || code == 128 + SIGKILL) << part.output();
  }
  ASSERT_TRUE(finished);
  EXPECT_GE(killed, 2);
  EXPECT_EQ(final_tensors(folder.path("whole")), final_tensors(folder.path("parts")));
}

TEST(Kill, SignalsSaveAndSayHowToResume) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("data"), 60, 1);
  for (const auto& [number, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
    const std::string name = "signal" + std::to_string(number);
    Program program(folder, train_arguments(folder, name, "10000"));
    ASSERT_TRUE(program.saw("epoch   1")) << program.output();
    program.signal(number);
    EXPECT_EQ(program.wait(), code) << program.output();
    EXPECT_THAT(program.output(), testing::HasSubstr("train --resume --output " + folder.path(name)));
    EXPECT_FALSE(list_checkpoints(folder.path(name)).empty());
  }
  auto arguments = train_arguments(folder, "timed");
  arguments.insert(arguments.end(), {"--stop-after", "0.01s"});
  Program program(folder, arguments);
  EXPECT_EQ(program.wait(), 75) << program.output();
}

}  // namespace
}  // namespace signstep
