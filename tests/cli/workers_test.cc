// SPDX-License-Identifier: Apache-2.0
// `signstep train --workers N`: the processes, how they end, and that they compute what threads of one process do.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <thread>

#include "signstep/io/json_lines.h"
#include "signstep/io/safetensors.h"
#include "signstep/runs/run_folder.h"
#include "signstep/train/trainer.h"
#include "signstep/wire/rank_threads.h"
#include "tests/c10d/processes.h"
#include "tests/cli/program.h"
#include "tests/train/engines_here.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class WorkersTest : public ProgramTest {
 protected:
  WorkersTest() { write_cifar10_fixture(folder_.path("data"), 60, 1); }

  std::vector<std::string> training(const std::string& name, const std::string& workers,
                                    const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"train", "--data",    path("data"), "--output",    path(name), "--width",
                                    "4",     "--batch",   "60",         "--epochs",    "3",        "--validation",
                                    "60",    "--threads", "1",          "--precision", "fp32",     "--workers",
                                    workers};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // Every tensor of every rank's newest checkpoint.
  std::vector<std::byte> tensors(const std::string& name, size_t ranks) const {
    std::vector<std::byte> all;
    for (size_t r = 0; r < ranks; ++r) {
      const SafetensorsFile file(rank_checkpoint(find_checkpoint(path(name)), r));
      for (const TensorEntry& t : file.tensors()) all.insert(all.end(), t.bytes.begin(), t.bytes.end());
    }
    return all;
  }

  // The worker of that rank that a program started for the run, 0 where there is none.
  pid_t worker(const std::string& name, int rank) const {
    const auto read = [](const fs::path& file) {
      std::ifstream in(file, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
      const std::string pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      if (read(entry.path() / "cmdline").find(path(name)) == std::string::npos) continue;
      if (read(entry.path() / "environ").find(fmt::format("RANK={}", rank)) != std::string::npos) return std::stoi(pid);
    }
    return 0;
  }
};

TEST_F(WorkersTest, ProcessesComputeWhatThreadsOfOneProcessDo) {
  for (const char* workers : {"2", "5"}) {
    const std::string name = std::string("processes") + workers;
    Program program(training(name, workers, {"--dither", "relative", "--switch-when", "at", "--switch-blend", "2"}));
    ASSERT_EQ(program.wait(), 0) << program.output();
    EXPECT_THAT(program.output(), HasSubstr("Test accuracy"));
    TrainOptions o;
    OptionList list = option_list(o);
    for (const auto& [key, value] :
         std::vector<std::pair<std::string, std::string>>{{"data", path("data")},
                                                          {"output", path(name + "-threads")},
                                                          {"width", "4"},
                                                          {"batch", "60"},
                                                          {"epochs", "3"},
                                                          {"validation", "60"},
                                                          {"threads", "1"},
                                                          {"precision", "fp32"},
                                                          {"workers", workers},
                                                          {"dither", "relative"},
                                                          {"switch_when", "at"},
                                                          {"switch_blend", "2"}})
      list.set(key, value);
    const EngineTable engines = engines_here();
    const auto ranks = static_cast<size_t>(o.workers.workers);
    run_ranks(ranks, std::chrono::minutes(2), [&](Communicator& world) {
      TrainObserver silent;
      TrainControl control;
      control.world = &world;
      train(o, engines, control, silent);
    });
    EXPECT_EQ(tensors(name, ranks), tensors(name + "-threads", ranks));
  }
}

TEST_F(WorkersTest, ProcessesThatAreStartedByOthersDoTheSame) {
  const std::vector<std::string> more = {"--adversaries", "1"};  // which is checked against the world's size
  Program together(training("together", "3", more));
  ASSERT_EQ(together.wait(), 0) << together.output();
  std::vector<std::unique_ptr<Subprocess>> ranks;
  for (int r = 0; r < 3; ++r) {
    std::vector<std::string> command = {"env", fmt::format("RANK={}", r), "WORLD_SIZE=3",
                                        "SIGNSTEP_STORE=" + path("store"), SIGNSTEP_PROGRAM};
    const auto arguments = training("apart", r == 1 ? "1" : "3", more);  // 1 stands for the world's size
    command.insert(command.end(), arguments.begin(), arguments.end());
    ranks.push_back(std::make_unique<Subprocess>(command, Subprocess::Errors::kApart));
  }
  for (const auto& rank : ranks) {
    const Subprocess::Ended ended = rank->communicate("", std::chrono::minutes(2));
    EXPECT_EQ(ended.exit_code, 0) << ended.output << ended.errors;
    EXPECT_EQ(ended.output.empty(), rank != ranks[0]) << "rank 0 alone has something to show";
  }
  EXPECT_EQ(tensors("apart", 3), tensors("together", 3));
}

TEST_F(WorkersTest, ARunOfOneIsNotResumedByMany) {
  Program alone(training("alone", "1"));
  ASSERT_EQ(alone.wait(), 0) << alone.output();
  Subprocess many({SIGNSTEP_PROGRAM, "train", "--resume", "--output", path("alone")}, Subprocess::Errors::kApart,
                  {{"RANK", "0"}, {"WORLD_SIZE", "3"}, {"SIGNSTEP_STORE", path("store")}});
  const Subprocess::Ended ended = many.communicate("", std::chrono::minutes(2));
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.errors, HasSubstr("the run has 1 worker and WORLD_SIZE is 3"));
}

TEST_F(WorkersTest, ASignalEndsTheWaitForOthers) {
  std::vector<std::string> command = {SIGNSTEP_PROGRAM};
  const auto arguments = training("run", "2");
  command.insert(command.end(), arguments.begin(), arguments.end());
  Subprocess alone(command, Subprocess::Errors::kApart,
                   {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"SIGNSTEP_STORE", path("store")}});
  while (!fs::exists(path("store"))) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  alone.signal(SIGINT);
  const Subprocess::Ended ended = alone.communicate("", std::chrono::minutes(2));
  EXPECT_EQ(ended.exit_code, 130) << ended.errors;
  EXPECT_THAT(ended.errors, HasSubstr("stopped before all workers had come; nothing was written"));
  EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(WorkersTest, AKilledWorkerIsNamedAndTheRunGoesOn) {
  Program whole(training("whole", "3", {"--epochs", "20"}));
  ASSERT_EQ(whole.wait(), 0) << whole.output();
  const std::vector<std::string> long_run = {"--epochs", "20", "--checkpoint-every", "1"};
  for (const int rank : {1, 2}) {
    auto arguments = training("parts", "3", long_run);
    if (rank == 2) arguments = {"train", "--resume", "--output", path("parts")};
    Program part(arguments);
    ASSERT_TRUE(part.saw(rank == 1 ? "epoch   1" : "epoch   8")) << part.output();
    const pid_t victim = worker("parts", rank);
    ASSERT_GT(victim, 0);
    ::kill(victim, SIGKILL);
    EXPECT_EQ(part.wait(), 5) << part.output();
    EXPECT_THAT(part.output(), HasSubstr(fmt::format("rank {} does not answer", rank)));
    EXPECT_EQ(part.output().find("does not answer"), part.output().rfind("does not answer")) << "said once";
    EXPECT_EQ(worker("parts", 3 - rank), 0) << "nobody stays behind";
  }
  Program last({"train", "--resume", "--output", path("parts")});
  ASSERT_EQ(last.wait(), 0) << last.output();
  EXPECT_EQ(tensors("parts", 3), tensors("whole", 3));
}

// Nobody else is there to say it: rank 0 cannot.
TEST_F(WorkersTest, WhoWasStartedByOthersSaysThatTheFirstIsLost) {
  std::vector<std::unique_ptr<Subprocess>> ranks;
  const std::string port = std::to_string(free_port());
  for (int r = 0; r < 2; ++r) {
    std::vector<std::string> command = {SIGNSTEP_PROGRAM};
    const auto arguments = training("run", "2", {"--epochs", "10000"});
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::map<std::string, std::string> environment = {
        {"RANK", std::to_string(r)}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port}};
    ranks.push_back(std::make_unique<Subprocess>(command, Subprocess::Errors::kApart, environment));
  }
  while (!fs::exists(path("run/checkpoints"))) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ranks[0]->signal(SIGKILL);
  const Subprocess::Ended ended = ranks[1]->communicate("", std::chrono::minutes(2));
  EXPECT_EQ(ended.exit_code, 5);
  EXPECT_THAT(ended.errors, HasSubstr("the keeper of the run's store, rank 0 or torchrun's agent, has stopped"));
}

// A part that one rank cannot write is no broken link: the first says which, and why, and the log keeps it.
TEST_F(WorkersTest, APartThatCannotBeWrittenIsSaidOnce) {
  Program program(training("run", "2", {"--epochs", "10000"}));
  ASSERT_TRUE(program.saw("epoch   1")) << program.output();
  const pid_t other = worker("run", 1);
  ASSERT_GT(other, 0);
  const rlimit nothing{64, 64};  // bytes a file: SIGXFSZ is not taken for an end
  ASSERT_EQ(::prlimit(other, RLIMIT_FSIZE, &nothing, nullptr), 0);
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 5) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("rank 1: cannot write "));
  EXPECT_THAT(program.output(), Not(HasSubstr("does not answer")));
}

TEST_F(WorkersTest, ASignalToTheFirstStopsAll) {
  Program program(training("run", "2", {"--epochs", "10000"}));
  ASSERT_TRUE(program.saw("epoch   1")) << program.output();
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 130) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("train --resume --output " + path("run")));
  EXPECT_EQ(worker("run", 1), 0);
}

TEST_F(WorkersTest, WhatCannotBeIsSaidBeforeAnybodyIsStarted) {
  const auto refusal = [&](const std::vector<std::string>& arguments) {
    Program program(arguments);
    EXPECT_EQ(program.wait(), 2);
    return program.output();
  };
  EXPECT_THAT(refusal(training("run", "3", {"--adversaries", "3"})), HasSubstr("3 of 3 workers are adversaries"));
  EXPECT_THAT(refusal(training("run", "2", {"--dither", "relative", "--dither-on", "mean"})),
              HasSubstr("more than a sign"));
  EXPECT_THAT(refusal(training("run", "7")), HasSubstr("no equal shares for 7 workers"));
  EXPECT_THAT(refusal(training("run", "2", {"--worker-backend", "nccl"})),
              AnyOf(HasSubstr("was built without NCCL, for which CMake wants a CUDA build of PyTorch 2 and nccl.h; use "
                              "--worker-backend gloo"),
                    HasSubstr("NCCL wants a CUDA device for each of the 2 ranks")));
  Program other({"train", "--data", path("data"), "--output", path("run"), "--workers", "2", "--worker-timeout", "0"});
  EXPECT_EQ(other.wait(), 2) << other.output();
  Program images({"train", "--data", path("nothing"), "--output", path("run"), "--workers", "2", "--quiet"});
  EXPECT_EQ(images.wait(), 3);
  EXPECT_EQ(images.output().find("signstep: "), images.output().rfind("signstep: ")) << "once: " << images.output();
  EXPECT_FALSE(fs::exists(path("run")));
}

}  // namespace
}  // namespace signstep
