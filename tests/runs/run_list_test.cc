// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_list.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "signstep/io/folder_lock.h"
#include "tests/runs/made_up_run.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(RunList, FindsRunsAtAnyDepthAndNotWithinRuns) {
  const TemporaryFolder folder;
  write_run(folder.path("b"), {});
  write_run(folder.path("a/deep/er"), {});
  write_run(folder.path("b/inner"), {});
  write_run(folder.path(".hidden"), {});
  fs::create_directories(folder.path("empty/report"));
  fs::create_directory_symlink(folder.path("."), folder.path("loop"));
  EXPECT_THAT(find_runs(folder.path("")), ElementsAre(folder.path("a/deep/er"), folder.path("b")));
  EXPECT_THAT(find_runs(folder.path("b")), ElementsAre(folder.path("b")));
  EXPECT_TRUE(find_runs(folder.path("empty")).empty());
  EXPECT_THAT(message_of<EnvironmentError>([&] { find_runs(folder.path("none")); }), HasSubstr("there is no folder"));
}

TEST(RunList, ARowSaysWhatTheRunIs) {
  const TemporaryFolder folder;
  const std::string run = folder.path("a");
  write_run(run, {.seed = 7, .extra_config = "dither = \"relative\"\nswitch_at = 0.6\nepochs = 5\n", .switches = true});
  const RunRow row = read_row(run);
  EXPECT_EQ(row.folder, run);
  EXPECT_EQ(row.method, "dithered Signum-to-SGD switch");
  EXPECT_EQ(row.network, "ResNet-18, width 4");
  EXPECT_EQ(row.learning_rate, 0.001);
  EXPECT_EQ(row.dither, "relative");
  EXPECT_EQ(row.switching, "at 0.6");
  EXPECT_EQ(row.seed, 7u);
  EXPECT_EQ(row.epochs, 3u);
  EXPECT_EQ(row.wanted_epochs, 5u);
  EXPECT_EQ(row.test_accuracy, 50 + 30 + 7);
  EXPECT_TRUE(std::isnan(row.validation_accuracy));
  EXPECT_EQ(row.status, "finished");
  EXPECT_EQ(row.problem, "");
}

TEST(RunList, ARunWithoutAnEpochIsARow) {
  const TemporaryFolder folder;
  write_run(folder.path("a"), {.epochs = 0, .status = "diverged"});
  const RunRow row = read_row(folder.path("a"));
  EXPECT_EQ(row.status, "diverged");
  EXPECT_EQ(row.epochs, 0u);
  EXPECT_TRUE(std::isnan(row.test_accuracy));
}

TEST(RunList, RunningIsWhatSomeoneWorksOn) {
  const TemporaryFolder folder;
  write_run(folder.path("a"), {.status = "running"});
  EXPECT_EQ(read_row(folder.path("a")).status, "interrupted");
  const FolderLock lock(folder.path("a"));
  EXPECT_EQ(read_row(folder.path("a")).status, "running");
}

TEST(RunList, WhatIsDamagedIsSaidNotThrown) {
  const TemporaryFolder folder;
  for (const char* record : {"{", "[1]", "{\"status\": 5}"}) {
    write_run(folder.path("a"), {});
    write_file_atomic(folder.path("a/run.json"), record);
    const RunRow row = read_row(folder.path("a"));
    EXPECT_EQ(row.status, "damaged");
    EXPECT_THAT(row.problem, HasSubstr("a/run.json"));
  }
  write_run(folder.path("b"), {.extra_config = "= 5\n"});
  EXPECT_THAT(read_row(folder.path("b")).problem, HasSubstr("b/config.toml"));
}

}  // namespace
}  // namespace signstep
