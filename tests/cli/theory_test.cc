// SPDX-License-Identifier: Apache-2.0
// signstep theory as a user runs it.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class TheoryCommandTest : public testing::Test {
 protected:
  std::pair<int, std::string> run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "theory");
    Program program(arguments);
    const int code = program.wait();
    return {code, program.output()};
  }
  TemporaryFolder folder_;
};

TEST_F(TheoryCommandTest, ShowsWhatHoldsAndWhatBreaks) {
  const auto [code, text] =
      run({"--seeds", "4", "--doublings", "2", "--batches", "8,1", "--threads", "1", "--output", folder_.path("t")});
  EXPECT_EQ(code, 0) << text;
  EXPECT_THAT(text, HasSubstr("broken, never settles"));
  EXPECT_THAT(text, HasSubstr("walks uphill"));
  EXPECT_THAT(text, HasSubstr("theory.json"));
  const auto json = nlohmann::json::parse(read_text_file(folder_.path("t/theory.json")));
  ASSERT_EQ(json["rates"].size(), 28u) << "2 problems x (6 noises x 2 batch sizes + 2 with dither)";
  for (const auto& curve : json["rates"]) {
    const bool skewed = curve["noise"] == "skewed" && curve["batch"] == 1, bimodal = curve["noise"] == "bimodal";
    if (bimodal) continue;
    EXPECT_EQ(curve["holds"], !skewed || curve["dither_sd"] > 0) << curve;
  }
  EXPECT_LT(json["counterexample"][0]["expected_sign"], 0);
  EXPECT_GT(json["counterexample"][0]["end"]["final_gap"], 10);
  EXPECT_LT(json["counterexample"][3]["end"]["final_gap"], 0.5);
}

TEST_F(TheoryCommandTest, TheOutputIsAFunctionOfTheOptions) {
  const std::vector<std::string> small{"--seeds", "3", "--doublings", "1", "--batches", "4", "--json"};
  auto one = small, three = small;
  one.insert(one.end(), {"--threads", "1", "--output", folder_.path("one")});
  three.insert(three.end(), {"--threads", "3", "--output", folder_.path("three")});
  auto a = nlohmann::json::parse(run(one).second), b = nlohmann::json::parse(run(three).second);
  a.erase("options");
  b.erase("options");
  EXPECT_EQ(a, b);
}

TEST_F(TheoryCommandTest, WithoutGnuplotItSaysSo) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder_.path().c_str(), 1);
  const auto [code, text] = run({"--seeds", "2", "--doublings", "1", "--batches", "4", "--output", folder_.path("t")});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(code, 0);
  EXPECT_THAT(text, HasSubstr("No figures  "));
  EXPECT_THAT(text, HasSubstr("gnuplot"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("t/failure-bound.svg")));
}

TEST_F(TheoryCommandTest, WrongArguments) {
  for (const char* batches : {"0", "1,", "x", "1,5000", "", "8 16"}) {
    const auto [code, text] = run({"--batches", batches, "--output", folder_.path("t")});
    EXPECT_EQ(code, 2) << batches;
    EXPECT_THAT(text, HasSubstr("wanted whole numbers in [1, 4096] separated by commas")) << batches;
  }
  EXPECT_EQ(run({"--seeds", "1"}).first, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("t")));
}

}  // namespace
}  // namespace signstep
