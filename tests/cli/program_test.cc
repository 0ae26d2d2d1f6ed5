// SPDX-License-Identifier: Apache-2.0
// What a user types and sees: exit codes and messages.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class ProgramTest : public testing::Test {
 protected:
  struct Outcome {
    int code;
    std::string text;
  };
  Outcome run(const std::vector<std::string>& arguments) {
    Program program(arguments);
    const int code = program.wait();
    return {code, program.output()};
  }
  std::vector<std::string> tiny(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{
        "train",   "--data", folder_.path("data"), "--output", folder_.path(name), "--width", "4", "--epochs", "1",
        "--batch", "50",     "--validation",       "50",       "--threads",        "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void expect(const Outcome& seen, int code, const std::string& text) {
    EXPECT_EQ(seen.code, code) << seen.text;
    EXPECT_THAT(seen.text, HasSubstr(text));
  }

  TemporaryFolder folder_;
};

TEST_F(ProgramTest, HelpAndVersion) {
  expect(run({"--help"}), 0, "Exit codes: 0 done");
  expect(run({"train", "--help"}), 0, "--learning-rate");
  const Outcome version = run({"--version"});
  expect(version, 0, "LibTorch");
  EXPECT_THAT(version.text, ContainsRegex("\nengines [^;]*torch"));  // and, by the processor, what else
  EXPECT_THAT(version.text, HasSubstr("amx"));
}

TEST_F(ProgramTest, HelpFitsATerminalAndShowsWhatPeopleUse) {
  for (const char* name :
       {"", "train", "eval", "data", "bench", "compare", "export", "list", "report", "analyze", "theory"}) {
    const std::string command = name;
    std::vector<std::string> arguments{"--help"};
    if (!command.empty()) arguments.insert(arguments.begin(), command);
    std::istringstream lines(run(arguments).text);
    for (std::string line; std::getline(lines, line);) EXPECT_LT(line.size(), 80u) << command << ": " << line;
  }
  const std::string usual = run({"train", "--help"}).text, all = run({"train", "--help-all"}).text;
  for (const char* flag : {"--optimizer", "--learning-rate", "--epochs", "--limit-train", "--output", "--help-all"})
    EXPECT_THAT(usual, HasSubstr(flag));
  for (const char* flag : {"--beta2", "--switch-patience", "--step-factor", "--log-level"}) {
    EXPECT_THAT(usual, testing::Not(HasSubstr(flag)));
    EXPECT_THAT(all, HasSubstr(flag));
  }
}

TEST_F(ProgramTest, JobScriptsResumeOrStart) {
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  std::vector<std::string> job = tiny("run", {"--schedule", "constant", "--resume-or-start"});
  expect(run(job), 0, "Test accuracy");
  expect(run(job), 0, "the run is finished already");
  job.insert(job.end(), {"--epochs", "2"});
  expect(run(job), 0, "after 2 epochs");
  expect(run({"train", "--resume-or-start"}), 2, "name it: --output RUN");
  job.emplace_back("--resume");
  expect(run(job), 2, "choose one");
  // A cosine of one epoch is no beginning of one of two; the message has the command that starts from its weights.
  expect(run(tiny("cosine")), 0, "Test accuracy");
  expect(run({"train", "--resume", "--output", folder_.path("cosine"), "--epochs", "2"}), 2,
         "--config " + folder_.path("cosine") + "/config.toml --init " + folder_.path("cosine") + "/checkpoints/");
}

// The command that the message has: the same method, and again from what comes of it.
TEST_F(ProgramTest, ARunFromAnothersWeightsKeepsItsMethod) {
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  expect(run(tiny("a", {"--dither", "relative", "--learning-rate", "3e-3"})), 0, "Test accuracy");
  std::string before = "a";
  for (const std::string name : {"b", "c"}) {
    const std::string run_folder = folder_.path(before);
    expect(run({"train", "--config", run_folder + "/config.toml", "--init",
                run_folder + "/checkpoints/step-00000005.safetensors", "--output", folder_.path(name)}),
           0, "Test accuracy");
    const std::string config = read_text_file(folder_.path(name + "/config.toml"));
    EXPECT_THAT(config, HasSubstr("learning_rate = 0.003"));
    EXPECT_THAT(config, HasSubstr("dither = \"relative\""));
    before = name;
  }
  expect(run({"train", "--resume", "--output", folder_.path("b"), "--init",
              folder_.path("b/checkpoints/step-00000005.safetensors")}),
         4, "the run started from weights with");
}

TEST_F(ProgramTest, ADryRunRefusesWhatTrainWould) {
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  expect(run(tiny("run", {"--dry-run", "--batch", "300"})), 2, "batch 300 is larger than the 250 images");
  expect(run(tiny("run", {"--dry-run", "--init", folder_.path("nothing")})), 5, "nothing");
  write_file_atomic(folder_.path("file"), "x");
  expect(run(tiny("file", {"--dry-run"})), 5, "is no folder");
  expect(run(tiny("run", {"--dry-run"})), 0, "Run folder");
  expect(run(tiny("run", {"--limit-train", "50", "--test-when", "never"})), 0, "Test accuracy  not measured after 1");
  expect(run(tiny("run", {"--dry-run"})), 2, "holds a run already");
}

TEST_F(ProgramTest, FoldersAreNamedByMethod) {
  expect(run({"train", "--dry-run", "--dataset", "cifar10", "--data", folder_.path("data"), "--dither", "relative",
              "--switch-when", "auto"}),
         3, "");  // no images there
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  expect(run({"train", "--dry-run", "--data", folder_.path("data"), "--width", "4", "--validation", "50", "--threads",
              "1", "--dither", "relative", "--switch-when", "auto"}),
         0, "runs/cifar10-dithered-signum-switch-seed1");
}

TEST_F(ProgramTest, WrongArguments) {
  expect(run({}), 0, "Subcommands:");
  expect(run({"train", "--lr", "0.1"}), 2, "did you mean --learning-rate?");
  expect(run({"train", "--output", "a\xff"}), 2, "UTF-8");
  expect(run({"eval", "a\xff"}), 2, "argument 2");
  ::setenv("SIGNSTEP_DATA", "/a\xff", 1);
  expect(run(tiny("x")), 2, "SIGNSTEP_DATA");
  ::unsetenv("SIGNSTEP_DATA");
  expect(run({"train", "--lerning-rate", "1"}), 2, "did you mean --learning-rate?");
  expect(run({"trian"}), 2, "did you mean train?");
  expect(run(tiny("x", {"--learning-rate", "-1"})), 2, "wanted auto or a number greater than 0");
  expect(run(tiny("x", {"--batch", "100000"})), 2, "batch is '100000'; wanted a whole number in [1, 65536]");
  expect(run({"train", "--resume"}), 2, "--output RUN");
  expect(run(tiny("x", {"--device", "cuda"})), 2, "sees no CUDA device");
}

TEST_F(ProgramTest, BadData) {
  expect(run({"train", "--data", folder_.path("nothing"), "--output", folder_.path("x")}), 3, folder_.path("nothing"));
  expect(run({"data", "--dataset", "mnist", "--data", folder_.path("nothing")}), 3, "nothing");
}

TEST_F(ProgramTest, TrainEvalAndConfiguration) {
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  const Outcome trained = run(tiny("run", {"--quiet"}));
  expect(trained, 0, "Test accuracy");
  expect(run(tiny("run")), 2, "holds a run already");
  expect(run(tiny("run", {"--resume", "--batch", "25"})), 2, "--batch is 25 and the run was started with 50");
  expect(run(tiny("run", {"--resume", "--milestones", "0.5,0.9"})), 2,
         "--milestones is 0.5,0.9 and the run was started with 0.5,0.75; a resumed run keeps its settings");
  expect(run(tiny("run", {"--resume", "--milestones", "0.50, 0.75", "--stop-after", "1h", "--log-level", "error",
                          "--checkpoint-every", "3", "--loader-threads", "2"})),
         0, "Test accuracy");
  const Outcome evaluated = run({"eval", folder_.path("run"), "--json"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.text;
  const auto record = nlohmann::json::parse(read_text_file(folder_.path("run/run.json")));
  EXPECT_EQ(nlohmann::json::parse(evaluated.text)["accuracy"], record["last_epoch"]["test_accuracy"]);
  expect(run({"eval", folder_.path("run"), "--split", "validation"}), 0, "validation accuracy");
  expect(run({"eval", folder_.path("data")}), 4, "holds no checkpoint");
  expect(run({"data", "--dataset", "cifar10", "--data", folder_.path("data")}), 0,
         "Not known to be the official data set");

  expect(run({"report", folder_.path("run")}), 0, folder_.path("run/report/report.html"));
  EXPECT_THAT(read_text_file(folder_.path("run/report/report.html")), HasSubstr("<td>Signum</td>"));
  expect(run({"report", folder_.path("data")}), 2, "holds no run");

  write_file_atomic(folder_.path("c.toml"), "epochs = 1\nlerning_rate = 2\n");
  expect(run({"train", "--config", folder_.path("c.toml")}), 2,
         "c.toml:2:1: unknown option 'lerning_rate'; did you mean 'learning_rate'?");
}

// Another rule gets its own numbers, whichever way the run's settings came.
TEST_F(ProgramTest, TheSettingsOfARunForAnotherRule) {
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  const std::string run_folder = folder_.path("run"), other = folder_.path("other");
  const Outcome trained = run(tiny("run", {"--quiet", "--momentum", "0.95", "--seed", "7"}));
  expect(trained, 0, "signstep train --like " + run_folder + " --optimizer sgd --output " + run_folder + "-sgd");

  const Outcome like = run({"train", "--like", run_folder, "--optimizer", "sgd", "--output", other, "--dry-run"});
  for (const char* setting :
       {"learning_rate = 0.1 ", "momentum = 0.9 ", "seed = 7 ", "batch = 50 ", "validation = 50 "})
    expect(like, 0, setting);
  EXPECT_FALSE(std::filesystem::exists(other));

  const Outcome config =
      run({"train", "--config", run_folder + "/config.toml", "--optimizer", "sgd", "--output", other, "--dry-run"});
  expect(config, 0, "learning_rate = 0.1 ");
  expect(config, 0, "momentum = 0.95 ");
  expect(config, 0, "learning_rate, decoupled_weight_decay of " + run_folder + "/config.toml were signum's own");
  expect(config, 0,
         "momentum of " + run_folder + "/config.toml was chosen for signum and kept; a flag such as --momentum");

  expect(run({"train", "--config", run_folder + "/config.toml", "--output", other, "--dry-run"}), 0,
         "learning_rate = 0.001 ");
  expect(run({"train", "--like", folder_.path("data"), "--output", other}), 2, "holds no run");
  expect(run({"train", "--like", run_folder, "--config", "x", "--output", other}), 2, "choose one");
  expect(run({"train", "--resume", "--output", run_folder, "--dry-run"}), 2, "leave out --dry-run");
}

TEST_F(ProgramTest, ADryRunSaysWhatItWouldCost) {
  write_cifar10_fixture(folder_.path("data"), 60, 1);
  const Outcome seen = run(tiny("x", {"--dry-run"}));
  for (const char* line : {"Network        ResNet-18, width 4, ", " to train on, 50 held out, ",
                           "Steps          1 epoch of 5\n", "Time           about ", "Run folder     "})
    expect(seen, 0, line);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("x")));
  // Of a flag and its opposite the last counts, as of a value that is given twice.
  expect(run(tiny("x", {"--dry-run", "--no-crop", "--crop"})), 0, "crop = true");
  expect(run(tiny("x", {"--dry-run", "--crop", "--no-crop"})), 0, "crop = false");
  expect(run(tiny("x", {"--dry-run", "--validation", "300"})), 2, "validation");
  expect(run(tiny("x", {"--dry-run", "--data", folder_.path("none")})), 3, "not found");
}

}  // namespace
}  // namespace signstep
