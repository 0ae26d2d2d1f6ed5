// SPDX-License-Identifier: Apache-2.0
// signstep eval's tables and files.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/io/atomic_file.h"
#include "signstep/io/safetensors.h"
#include "signstep/runs/run_folder.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class EvalCommandTest : public ProgramTest {
 protected:
  void train(const std::string& dataset) const {
    run(0, {"train", "--dataset", dataset, "--data", path("data"), "--output", path("run"), "--width", "4", "--epochs",
            "1", "--batch", "50", "--validation", "0", "--threads", "1", "--precision", "fp32"});
  }
};

// A run that was trained on a GPU, on a machine that has none.
TEST_F(EvalCommandTest, AnotherDeviceThanTheRuns) {
  if (std::getenv("SIGNSTEP_CUDA_REQUIRED") != nullptr) GTEST_SKIP() << "there is a CUDA device";
  write_cifar10_fixture(path("data"), 20, 1);
  train("cifar10");
  const std::string checkpoint = find_checkpoint(path("run"));
  const SafetensorsFile file(checkpoint);
  Metadata metadata = file.metadata();
  std::string& state = metadata["signstep.state"];
  const std::string recorded = R"("device":"cpu")";
  ASSERT_NE(state.find(recorded), std::string::npos) << state.substr(0, 2000);
  state.replace(state.find(recorded), recorded.size(), R"("device":"cuda")");
  write_safetensors(checkpoint, file.tensors(), metadata);
  EXPECT_THAT(run(0, {"eval", path("run")}), HasSubstr("sees no CUDA device"));
  std::string config = read_text_file(path("run") + "/config.toml");
  const std::string setting = "device = \"cpu\"";
  ASSERT_NE(config.find(setting), std::string::npos);
  write_file_atomic(path("run") + "/config.toml",
                    config.replace(config.find(setting), setting.size(), "device = \"cuda\""));
  EXPECT_THAT(run(2, {"train", "--resume", "--output", path("run")}),
              HasSubstr("resume the run on a machine that has it"));
}

TEST_F(EvalCommandTest, ClassesMatrixAndPredictions) {
  write_cifar10_fixture(path("data"), 20, 1);
  train("cifar10");
  EXPECT_THAT(run(0, {"eval", path("run")}), Not(HasSubstr("airplane")));
  const std::string text = run(0, {"eval", path("run"), "--per-class", "--confusion", "--predictions", path("p.csv")});
  for (const char* words : {"precision %", "airplane", "truck", "taken for:", "Written"})
    EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(text, HasSubstr("Kept in " + path("run") + "/confusion.json"));
  run(0, {"report", path("run")});
  EXPECT_THAT(read_text_file(path("run") + "/report/report.html"), HasSubstr("<table class=\"confusion\">"));
  const std::string csv = read_text_file(path("p.csv"));
  EXPECT_THAT(csv, StartsWith("image,label,predicted,probability,label_probability\n0,airplane,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 21);
  const auto json = nlohmann::json::parse(run(0, {"eval", path("run"), "--per-class", "--confusion", "--json"}));
  size_t right = 0, all = 0;
  for (size_t k = 0; k < 10; ++k) {
    right += json["confusion"][k][k].get<size_t>();
    for (const auto& count : json["confusion"][k]) all += count.get<size_t>();
    EXPECT_EQ(json["classes"][k]["images"], 2);
  }
  EXPECT_EQ(all, 20u);
  EXPECT_DOUBLE_EQ(json["accuracy"].get<double>(), 5.0 * static_cast<double>(right));
  EXPECT_THAT(run(2, {"eval", path("run"), "--predictions", path("data")}), HasSubstr("name a file"));
  EXPECT_THAT(run(5, {"eval", path("run"), "--predictions", path("gone/p.csv")}), HasSubstr("there is no folder"));
  // What is there already is replaced if it is such a table, and nothing else is.
  run(0, {"eval", path("run"), "--predictions", path("p.csv")});
  EXPECT_THAT(run(2, {"eval", path("run"), "--predictions", path("run/run.json")}),
              HasSubstr("run.json exists and is no table of predictions"));
  run(0, {"list", path("run")});
}

TEST_F(EvalCommandTest, AHundredClassesShowTheWorstPairs) {
  write_cifar100_fixture(path("data"), 100, 100, 1);
  train("cifar100");
  const std::string text = run(0, {"eval", path("run"), "--confusion"});
  EXPECT_THAT(text, HasSubstr("most frequent mistakes"));
  EXPECT_THAT(text, Not(HasSubstr("taken for:")));
}

}  // namespace
}  // namespace signstep
