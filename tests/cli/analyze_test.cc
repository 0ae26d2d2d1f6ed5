// SPDX-License-Identifier: Apache-2.0
// signstep analyze as a user runs it, and its figures computed again with NumPy.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"
#include "tests/support/python.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class AnalyzeCommandTest : public testing::Test {
 protected:
  AnalyzeCommandTest() {
    write_cifar10_fixture(folder_.path("data"), 60, 1);
    train("run", "4");
  }
  void train(const std::string& name, const std::string& width) {
    Program program({"train", "--data", folder_.path("data"), "--output", folder_.path(name), "--width", width,
                     "--epochs", "1", "--batch", "50", "--validation", "50", "--threads", "1", "--precision", "fp32"});
    ASSERT_EQ(program.wait(), 0) << program.output();
  }
  std::pair<int, std::string> run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "analyze");
    arguments.insert(arguments.end(), {"--threads", "1"});
    Program program(arguments);
    const int code = program.wait();
    return {code, program.output()};
  }
  void expect(const std::pair<int, std::string>& seen, int code, const std::string& text) {
    EXPECT_EQ(seen.first, code) << seen.second;
    EXPECT_THAT(seen.second, HasSubstr(text));
  }

  TemporaryFolder folder_;
};

TEST_F(AnalyzeCommandTest, OneTensorEqualsAnIndependentNumPyComputation) {
  if (!python_has("numpy")) {
    GTEST_SKIP() << "NumPy is missing, so the figures of analyze were NOT checked against it; install python3-numpy";
  }
  for (const std::string tensor : {"conv1.weight", "layer2.0.downsample.0.weight"}) {
    for (const std::string reference : {"epoch", "draws"}) {
      const std::string out = folder_.path(tensor + reference);
      expect(run({folder_.path("run"), "--draws", "40", "--batches", "20", "--sample", "4", "--dump", tensor,
                  "--reference", reference, "--output", out}),
             0, "Written");
      const std::string log = folder_.path("log");
      const std::string command = python() + " " SIGNSTEP_CHECK_ANALYSIS " " + out + "/analysis.json " + out + "/" +
                                  tensor + "-batch20.safetensors > " + log + " 2>&1";
      EXPECT_EQ(std::system(command.c_str()), 0) << read_text_file(log);
      EXPECT_THAT(read_text_file(log), HasSubstr("17 figures"));
    }
  }
}

TEST_F(AnalyzeCommandTest, TablesFiguresAndJson) {
  const auto seen = run({folder_.path("run"), "--draws", "12", "--batches", "8,32", "--sample", "4"});
  expect(seen, 0, "Batch 8: 12 draws with replacement");
  for (const char* text : {"Batch 32", "layer4.1", "network", "SNR-weighted", "verdict", "promised", "Shape tests",
                           "with crop, flip", "takes the sign of an average"})
    EXPECT_THAT(seen.second, HasSubstr(text));
  expect(run({folder_.path("run"), "--draws", "4", "--batches", "8", "--sample", "2", "--images", "plain", "--output",
              folder_.path("plain")}),
         0, "without augmentation");
  std::string folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("run/analysis"))) folder = entry.path();
  EXPECT_THAT(folder, HasSubstr("step-000000"));
  const auto json = nlohmann::json::parse(read_text_file(folder + "/analysis.json"));
  EXPECT_EQ(json["batches"].size(), 2u);
  EXPECT_EQ(json["batches"][1]["batch"], 32);
  EXPECT_EQ(json["batches"][0]["tensors"].size(), 62u);
  EXPECT_GT(json["batches"][0]["network"]["stationarity_weighted"], 0);
  if (std::system("command -v gnuplot > /dev/null") == 0) {
    for (const char* figure :
         {"snr-histogram", "sign-failure", "signal", "shapes", "density", "dither", "stationarity"})
      EXPECT_TRUE(std::filesystem::exists(folder + "/" + figure + ".svg")) << figure;
  }
}

TEST_F(AnalyzeCommandTest, BadInput) {
  train("wider", "8");
  std::string checkpoint;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("wider/checkpoints")))
    checkpoint = entry.path();
  expect(run({}), 2, "name a run folder or a checkpoint file");
  expect(run({folder_.path("run"), "--draws", "1"}), 2, "draws is '1'; wanted a whole number in [4, 4096]");
  expect(run({folder_.path("run"), "--batches", "251"}), 2, "batch 251 is larger than the 250 training images");
  expect(run({folder_.path("run"), "--batches", "8,none"}), 2, "wanted whole numbers");
  expect(run({folder_.path("run"), "--dump", "conv"}), 2, "the network has no such tensor");
  expect(run({folder_.path("run"), "--checkpoint", checkpoint}), 4, "checkpoint");
  expect(run({folder_.path("data")}), 4, "holds no checkpoint");
  expect(run({"--checkpoint", checkpoint, "--draws", "4", "--sample", "2", "--batches", "4", "--output",
              folder_.path("out")}),
         0, "width 8");
  write_file_atomic(folder_.path("damaged"), read_text_file(checkpoint).substr(0, 5000));
  expect(run({"--checkpoint", folder_.path("damaged")}), 4, "damaged");
}

}  // namespace
}  // namespace signstep
