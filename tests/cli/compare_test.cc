// SPDX-License-Identifier: Apache-2.0
// Whole experiments of a few tiny runs: killed and continued, in shards, mixed, damaged, collected.
#include <gmock/gmock.h>

#include "tests/cli/compare_fixture.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST_F(CompareTest, KilledAndContinuedOrInShardsTheTableIsTheSame) {
  const std::string text = run(0, "whole");
  EXPECT_THAT(text, HasSubstr("difference to SGD"));
  EXPECT_THAT(read_text_file(folder_.path("whole/report/report.html")), HasSubstr("Tuning trials"));
  const std::string whole = table("whole");

  int killed = 0;
  for (const char* moment : {"tuning  ", "reported"}) {
    Program part(arguments("parts"));
    ASSERT_TRUE(part.saw(moment)) << part.output();
    part.signal(SIGKILL);
    killed += part.wait() == 128 + SIGKILL;
  }
  EXPECT_EQ(killed, 2);
  run(0, "parts");
  EXPECT_EQ(table("parts"), whole);

  // The first shard's reported runs wait for the second's tuning, and it says so; the second finds all that it needs.
  EXPECT_THAT(run(75, "shards", {"--shard", "1/2"}), HasSubstr("Runs of other shards or processes are not done yet"));
  run(0, "shards", {"--shard", "2/2"});
  run(0, "shards", {"--shard", "1/2"});
  EXPECT_THAT(run(0, "shards", {"--collect"}), Not(HasSubstr("Incomplete")));
  EXPECT_EQ(table("shards"), whole);
}

// The decay's trials follow from the rate's, so a job array starts once for each and once for the reported runs.
TEST_F(CompareTest, ACoordinateSearchGoesOnFromTheBestRate) {
  std::string text = std::string("tuning_search = \"coordinate\"") + kExperiment;
  const auto replace = [&](const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  replace("seeds = [1, 2]", "seeds = [1]");
  replace("epochs = 2", "epochs = 1");
  replace("learning_rate = [0.02, 0.1]", "learning_rate = [0.02, 0.1]\nl2_penalty = [1e-4, 1e-2]");
  replace("learning_rate = [1e-3, 3e-3]", "learning_rate = [1e-3, 3e-3]\ndecoupled_weight_decay = [0.1, 1]");
  write_file_atomic(folder_.path("tiny.toml"), text);
  EXPECT_THAT(run(0, "out", {"--dry-run"}), HasSubstr("and 2 whose values follow from these"));
  for (int round = 0; round < 3; ++round)
    for (const char* shard : {"1/2", "2/2"}) {
      Program part(arguments("out", {"--shard", shard}));
      EXPECT_THAT(part.wait(), testing::AnyOf(0, 75)) << part.output();
    }
  const std::string collected = run(0, "out", {"--collect"});
  EXPECT_THAT(collected, Not(HasSubstr("Incomplete")));
  EXPECT_THAT(collected, HasSubstr("among 3 trials for each row, one option after the other, seeds 101"));
  EXPECT_THAT(run(0, "out", {"--dry-run"}), HasSubstr("6 tuning and 2 reported runs, 8 done"));

  replace("\"coordinate\"", "\"grid\"");  // keeps what the search has done, and needs the rest
  write_file_atomic(folder_.path("tiny.toml"), text);
  EXPECT_THAT(run(0, "out", {"--dry-run"}), HasSubstr("8 tuning and 2 reported runs"));
}

TEST_F(CompareTest, AFailingRunDoesNotEndTheRest) {
  EXPECT_THAT(run(2, "out", {"--collect"}), HasSubstr("there is no folder"));
  const std::string obstacle = folder_.path("out/tuning/SGD/learning_rate=0.02/seed-101");
  fs::create_directories(fs::path(obstacle).parent_path());
  write_file_atomic(folder_.path("out/experiment.json"), "{\"experiment\": \"tiny\"}");
  write_file_atomic(obstacle, "a file where a folder should be");
  const std::string text = run(5, "out");
  EXPECT_THAT(text, HasSubstr("SGD, learning_rate 0.02, seed 101: FAILED"));
  EXPECT_THAT(text, HasSubstr("Signum, learning_rate"));
  EXPECT_THAT(text, HasSubstr("Incomplete: 5 of 8 runs are done."));
  fs::remove(obstacle);
  EXPECT_THAT(run(0, "out"), Not(HasSubstr("Incomplete")));
}

// What is mixed, contradictory or another's is refused, and what was there stays.
TEST_F(CompareTest, OneExperimentOnOneDataSet) {
  run(0, "out");
  const auto before = files_in("out");
  write_cifar10_fixture(folder_.path("data2"), 40, 2);
  for (const char* mode : {"", "--dry-run"}) {
    const std::string text = run_on("data2", 3, "out", mode);
    EXPECT_THAT(text, HasSubstr("runs on different images cannot be compared"));
    EXPECT_THAT(text, HasSubstr("seed-101"));
  }
  // Another experiment whose file has the same name, and one with other settings.
  std::string other = kExperiment;
  other.replace(other.find("\"Signum\""), 8, "\"Sign\"");
  std::string longer = kExperiment;
  longer.replace(longer.find("epochs = 2"), 10, "epochs = 3");
  for (const std::string& text : {other, longer}) {
    write_file_atomic(folder_.path("tiny.toml"), text);
    for (const char* mode : {"", "--dry-run", "--collect"}) run_on("data", 2, "out", mode);
  }
  EXPECT_EQ(files_in("out"), before);

  write_file_atomic(folder_.path("tiny.toml"), kExperiment);
  EXPECT_THAT(run_on("nowhere", 3, "fresh"), HasSubstr("nowhere"));
  EXPECT_FALSE(fs::exists(folder_.path("fresh")));
}

// As published results stand in a repository: no data set, no checkpoints, no locks, nothing written but the table.
TEST_F(CompareTest, CollectsFromTheRunRecordsAlone) {
  run(0, "out");
  for (const auto& [path, content] : files_in("out")) {
    const std::string name = fs::path(path).filename().string();
    if (name != "config.toml" && name != "run.json" && name != "metrics.jsonl") continue;
    const fs::path copy = fs::path(folder_.path("results")) / fs::relative(path, folder_.path("out"));
    fs::create_directories(copy.parent_path());
    write_file_atomic(copy.string(), content);
  }
  fs::remove_all(folder_.path("data"));
  const auto before = files_in("results");
  run_on("nowhere", 0, "results", "--collect");
  EXPECT_EQ(read_text_file(folder_.path("results/table.csv")), read_text_file(folder_.path("out/table.csv")));
  EXPECT_EQ(read_text_file(folder_.path("results/table.json")), read_text_file(folder_.path("out/table.json")));
  EXPECT_THAT(read_text_file(folder_.path("results/table.json")),
              HasSubstr("\"folder\": \"reported/SGD/learning_rate="));
  auto after = files_in("results");
  for (const char* table : {"table.md", "table.csv", "table.json"})
    EXPECT_EQ(after.erase(folder_.path("results/") + table), 1u);
  std::erase_if(after, [&](const auto& file) { return file.first.starts_with(folder_.path("results/report/")); });
  EXPECT_EQ(after, before);
}

TEST_F(CompareTest, ADamagedRunIsNamedAndTheRestGoesOn) {
  run(0, "out");
  fs::remove_all(folder_.path("out/tuning/Signum"));
  std::string damaged;
  for (const auto& [path, content] : files_in("out"))
    if (path.find("/reported/SGD/") != std::string::npos && path.ends_with("seed-1/run.json")) damaged = path;
  ASSERT_NE(damaged, "");
  write_file_atomic(damaged, "{\"status\": 5}");
  for (const char* mode : {"", "--collect"}) {
    const std::string text = run_on("data", 3, "out", mode);
    EXPECT_THAT(text, HasSubstr("run.json: status is 5; wanted text"));
    EXPECT_THAT(text, HasSubstr("1 of 2 (1 damaged)"));
    EXPECT_THAT(text, HasSubstr("Incomplete: 7 of 8 runs are done."));
  }
}

TEST_F(CompareTest, ADryRunListsTheRunsAndWritesNothing) {
  const std::string text = run(0, "out", {"--dry-run"});
  EXPECT_THAT(text, HasSubstr("2 rows, 4 tuning and 4 reported runs, 0 done"));
  EXPECT_THAT(text, HasSubstr("Signum, learning_rate 0.003, seed 101"));
  EXPECT_FALSE(fs::exists(folder_.path("out")));
  run(0, "out");  // the chosen trials' runs, whichever they are
  const std::string done = run(0, "out", {"--dry-run"});
  EXPECT_THAT(done, HasSubstr("2 rows, 4 tuning and 4 reported runs, 8 done"));
  EXPECT_THAT(done, HasSubstr("About 0.0 min for what is left"));
  EXPECT_THAT(done, Not(HasSubstr("first trial's settings")));
  fs::remove_all(folder_.path("out"));
  // It counts images and reads none, so labels that a run would refuse are not seen.
  write_bytes(folder_.path("data/test_batch.bin"), Bytes(3073, 255));
  EXPECT_EQ(run(0, "out", {"--dry-run"}).find("Nothing can be run yet"), std::string::npos);
}

// What is published in results/ must stay readable to its experiment's file.
TEST_F(CompareTest, PublishedRunsAreTheirExperiments) {
  const fs::path source = SIGNSTEP_SOURCE;
  int published = 0;
  for (const auto& entry : fs::directory_iterator(source / "results")) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();
    fs::copy(entry.path(), folder_.path(name), fs::copy_options::recursive);
    Program program({"compare", (source / "experiments" / (name + ".toml")).string(), "--output", folder_.path(name),
                     "--data", folder_.path("nowhere"), "--collect"});
    EXPECT_EQ(program.wait(), 0) << program.output();
    EXPECT_THAT(program.output(), Not(HasSubstr("Left out")));
    ++published;
  }
  EXPECT_GT(published, 0);
}

TEST_F(CompareTest, TwoProcessesShareOneOutput) {
  Program first(arguments("out")), second(arguments("out"));
  const int a = first.wait(), b = second.wait();
  EXPECT_EQ(a, 0) << first.output();
  EXPECT_EQ(b, 0) << second.output();
  EXPECT_THAT(first.output() + second.output(), Not(HasSubstr("FAILED")));
  EXPECT_THAT(run(0, "out", {"--collect"}), Not(HasSubstr("Incomplete")));
}

TEST_F(CompareTest, BadInput) {
  EXPECT_THAT(run(2, "out", {"--shard", "3/2"}), HasSubstr("--shard is '3/2'; wanted I/N"));
  EXPECT_THAT(run(2, "out", {"--shard", "1/2", "--dry-run"}), HasSubstr("leave out --shard"));
  EXPECT_THAT(run(2, "data"), HasSubstr("is not empty and no experiment's folder"));
  const auto with = [&](const std::string& text) {
    write_file_atomic(folder_.path("tiny.toml"), text);
    return run(2, "out");
  };
  EXPECT_THAT(with("seeds = [1]\n[[method]]\nname = \"x\"\noptimizer = \"sinum\"\n"),
              HasSubstr("tiny.toml:4:13: optimizer is 'sinum'"));
  EXPECT_THAT(with("seeds = [1]\n"), HasSubstr("the grid is empty"));
  EXPECT_FALSE(fs::exists(folder_.path("out")));
  Program missing({"compare", folder_.path("nothing.toml")});
  EXPECT_EQ(missing.wait(), 5);
}

}  // namespace
}  // namespace signstep
