// SPDX-License-Identifier: Apache-2.0
// `signstep list` as a user runs it.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"
#include "tests/runs/made_up_run.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using testing::Not;

class ListCommandTest : public testing::Test {
 protected:
  ListCommandTest() {
    write_run(path("x/a"), {.seed = 1, .extra_config = "epochs = 3\n"});
    write_run(path("x/b"), {.seed = 9, .epochs = 0, .status = "diverged"});
    write_run(path("y/c"), {.optimizer = "SGD", .seed = 3, .extra_config = "epochs = 6\n"});
  }
  std::string path(const std::string& name) const { return folder_.path(name); }
  std::string list(int code, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "list");
    Program program(arguments);
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  // Whether the words stand in the text in this order.
  static bool in_order(const std::string& text, const std::vector<std::string>& words) {
    size_t at = 0;
    for (const std::string& word : words) {
      at = text.find(word, at);
      if (at == std::string::npos) return false;
    }
    return true;
  }
  TemporaryFolder folder_;
};

TEST_F(ListCommandTest, ATableOfWhatIsThere) {
  const std::string text = list(0, {path("")});
  EXPECT_TRUE(in_order(text, {"folder", "method", "rate", "seed", "epochs", "test", "status", "date"})) << text;
  EXPECT_TRUE(in_order(text, {"x/a", "Signum", "81.00", "finished", "x/b", "diverged", "y/c", "SGD", "3/6", "83.00"}))
      << text;
  EXPECT_THAT(text, Not(HasSubstr("dither")));  // a column that nobody fills
  EXPECT_THAT(list(0, {path("x"), path("y")}), HasSubstr("y/c"));
}

TEST_F(ListCommandTest, Sorts) {
  EXPECT_TRUE(in_order(list(0, {path(""), "--sort", "test", "--reverse"}), {"y/c", "x/a", "x/b"}));
  EXPECT_TRUE(in_order(list(0, {path(""), "--sort", "test"}), {"x/a", "y/c", "x/b"}));  // without one: last
  EXPECT_TRUE(in_order(list(0, {path(""), "--sort", "seed"}), {"x/a", "y/c", "x/b"}));
  EXPECT_THAT(list(2, {path(""), "--sort", "tset"}), HasSubstr("did you mean test?"));
}

TEST_F(ListCommandTest, JsonAndCsvSayTheSame) {
  const auto json = nlohmann::json::parse(list(0, {path(""), "--json"}));
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[0]["test"], 81);
  EXPECT_EQ(json[2]["wanted_epochs"], 6);
  EXPECT_TRUE(json[1]["test"].is_null());
  const std::string csv = list(0, {path(""), "--csv"});
  EXPECT_TRUE(in_order(csv, {"folder,method,", "x/a,Signum,", ",81.0,finished,2026-01-01T00:00:00Z\n"})) << csv;
  EXPECT_THAT(list(2, {"--csv", "--json", path("")}), HasSubstr("choose one"));
}

TEST_F(ListCommandTest, NothingToListAndWhatIsDamaged) {
  std::filesystem::create_directories(path("empty"));
  EXPECT_EQ(list(0, {path("empty")}), "no runs in " + path("empty") + "\n");
  EXPECT_THAT(list(5, {path("nowhere")}), HasSubstr("there is no folder"));
  write_file_atomic(path("y/c/run.json"), "{");
  const std::string text = list(3, {path("")});
  EXPECT_TRUE(in_order(text, {"y/c", "damaged"})) << text;
  EXPECT_THAT(text, HasSubstr("y/c/run.json"));
}

}  // namespace
}  // namespace signstep
