// SPDX-License-Identifier: Apache-2.0
// signstep bench's table, which a test cannot hold to any speed.
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace signstep {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(BenchTest, EveryFigureStandsBesideItsLimit) {
  Program program({"bench", "--rounds", "1", "--width", "4", "--batch", "8", "--threads", "1", "--precision", "fp32",
                   "--engine", "torch", "--json"});
  ASSERT_EQ(program.wait(), 0) << program.output();
  const auto json = nlohmann::json::parse(program.output());
  std::vector<std::string> names;
  for (const auto& row : json["rows"]) {
    const auto what = row["what"].get<std::string>();
    names.push_back(what);
    EXPECT_GT(row["speed"].get<double>(), 0) << what;
    if (what == "copy" || what == "read") continue;
    EXPECT_DOUBLE_EQ(row["share"].get<double>(), row["speed"].get<double>() / row["beside_speed"].get<double>());
  }
  for (const char* what : {"copy", "read", "step SignSGD", "step AdamW", "pack signs", "unpack signs", "vote of 8",
                           "training, ResNet-18, width 4"})
    EXPECT_THAT(names, Contains(what));
  EXPECT_FALSE(json.contains("note"));
}

TEST(BenchTest, WithoutAnEngineTheRestIsMeasured) {
  Program program({"bench", "--rounds", "1", "--engine", "torch", "--threads", "1", "--width", "4", "--precision",
                   "bf16"});  // which LibTorch's engine refuses at that width
  ASSERT_EQ(program.wait(), 0) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("vote of 8"));
  EXPECT_THAT(program.output(), HasSubstr("no training: engine is torch, and precision is bf16 at width 4"));
}

// Both sides' losses at the same weights agree, or nothing is timed.
TEST(BenchTest, PyTorchsSideTrainsTheSameNetwork) {
  if (std::system("/usr/bin/python3 -c 'import numpy, torch' 2>/dev/null") != 0)
    GTEST_SKIP() << "/usr/bin/python3 has no PyTorch with numpy";
  for (const char* network : {"resnet18", "resnet20"}) {
    for (const char* norm : {"batch", "group"}) {
      Program program({"bench",     "train",   "--network",   network,   "--norm",   norm,       "--width",
                       "4",         "--batch", "8",           "--steps", "1",        "--rounds", "1",
                       "--threads", "1",       "--precision", "fp32",    "--engine", "torch"});
      EXPECT_EQ(program.wait(), 0) << program.output();
      EXPECT_THAT(program.output(), HasSubstr("ratio ")) << network << ", " << norm;
    }
  }
}

}  // namespace
}  // namespace signstep
