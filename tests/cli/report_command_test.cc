// SPDX-License-Identifier: Apache-2.0
// `signstep report` as a user runs it.
#include <gmock/gmock.h>

#include <filesystem>

#include "signstep/io/atomic_file.h"
#include "tests/cli/program.h"
#include "tests/runs/made_up_run.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ReportCommandTest : public testing::Test {
 protected:
  ReportCommandTest() {
    write_run(folder_.path("a"), {.seed = 1});
    write_run(folder_.path("b"), {.seed = 2});
  }
  std::string report(int code, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "report");
    Program program(arguments);
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  std::string page() const { return read_text_file(folder_.path("page/report.html")); }
  std::string path(const std::string& name) const { return folder_.path(name); }
  TemporaryFolder folder_;
};

TEST_F(ReportCommandTest, ARunIsOneSeedHoweverItIsNamed) {
  fs::create_directory_symlink(path("a"), path("link"));
  for (const std::string& again : {path("a"), path("a/"), path("b/../a"), path("link")})
    EXPECT_THAT(report(2, {path("a"), again, "--output", path("page")}),
                HasSubstr("are the same run; name each run once"));
  EXPECT_FALSE(fs::exists(path("page")));
  // A copy is another folder; the page says what it is.
  fs::copy(path("a"), path("copy"), fs::copy_options::recursive);
  report(0, {path("a"), path("copy"), "--output", path("page")});
  EXPECT_THAT(page(), HasSubstr("have the same settings and the same seed 1: they are not two seeds"));
}

TEST_F(ReportCommandTest, AFolderOfRunsIsTheRunsInIt) {
  write_run(path("more/deep/c"), {.optimizer = "SGD"});
  EXPECT_THAT(report(0, {path(""), "--output", path("page")}), HasSubstr("(3 runs, "));
  EXPECT_THAT(page(), HasSubstr("SGD"));
  EXPECT_THAT(report(0, {path("more")}), HasSubstr(path("more/report/report.html")));
  write_run(path("more/d"), {.optimizer = "SGD", .seed = 7});
  EXPECT_THAT(report(0, {path("more")}), HasSubstr(path("more/report-2/report.html"))) << "that one is of other runs";
  EXPECT_THAT(report(2, {path("a"), path("more"), path("more/deep/c")}), HasSubstr("are the same run"));
}

TEST_F(ReportCommandTest, ARunThatCannotBeShownIsNamedAndLeftOut) {
  write_run(path("diverged"), {.seed = 3, .epochs = 0, .status = "diverged"});
  const std::string text = report(0, {path("a"), path("diverged"), path("b"), "--output", path("page")});
  EXPECT_THAT(text, HasSubstr("Left out       " + path("diverged") + " has no finished epoch"));
  EXPECT_THAT(text, HasSubstr("(2 runs, "));
  EXPECT_THAT(page(), HasSubstr("Left out: "));
  for (const char* record : {"{\"status\": \"running\", \"data\": 5, \"started\": 1}", "{\"status\": 5}", "[1]", "{"}) {
    write_run(path("damaged"), {.seed = 4});
    write_file_atomic(path("damaged/run.json"), record);
    EXPECT_THAT(report(3, {path("a"), path("damaged"), "--output", path("page")}), HasSubstr("damaged/run.json"));
  }
  write_run(path("damaged"), {.seed = 4});
  write_file_atomic(path("damaged/metrics.jsonl"), "[1, 2]\n");
  EXPECT_THAT(report(3, {path("damaged"), path("a"), "--output", path("page")}), HasSubstr("not a JSON object"));
  for (const char* file : {"damaged/run.json", "damaged/metrics.jsonl"}) {
    write_run(path("damaged"), {.seed = 4});
    write_file_atomic(path(file), std::string(200000, '[') + "\n");
    EXPECT_THAT(report(3, {path("damaged"), path("a"), "--output", path("page")}), HasSubstr("within each other"));
  }
  // Nothing to show, and a folder without a run.
  report(2, {path("diverged"), "--output", path("none")});
  const std::string both = report(3, {path("damaged"), path("diverged"), "--output", path("none")});
  EXPECT_THAT(both, AllOf(HasSubstr("within each other"), HasSubstr("has no finished epoch")));
  EXPECT_THAT(report(5, {path("a"), path("nothing"), "--output", path("none")}), HasSubstr("does not exist"));
  fs::create_directory(path("nothing"));
  EXPECT_THAT(report(2, {path("a"), path("nothing"), "--output", path("none")}), HasSubstr("holds no run"));
  report(5, {path("a"), std::string(300, 'x'), "--output", path("none")});
  EXPECT_FALSE(fs::exists(path("none")));
}

TEST_F(ReportCommandTest, TitlesThatCannotBeShownAreRefused) {
  report(2, {path("a"), "--title", "a\xff", "--output", path("page")});
  EXPECT_THAT(report(2, {path("a"), "--title", "a\nb", "--output", path("page")}), HasSubstr("control characters"));
  EXPECT_THAT(report(2, {path("a"), "--title", std::string(300, 'x'), "--output", path("page")}),
              HasSubstr("--title has 300 characters; wanted at most 200"));
  EXPECT_FALSE(fs::exists(path("page")));
  report(0, {path("a"), "--title", "Größe ± 1", "--output", path("page")});
}

TEST_F(ReportCommandTest, ReportsOfOtherRunsDoNotShareAFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  const std::string first = report(0, {"a", "b"}), again = report(0, {"b", "./a"});
  write_run("d", {.seed = 9});
  const std::string other = report(0, {"a", "d"}), other_again = report(0, {"a", "d"});
  const std::string same = report(0, {"a", "b", "--output", "runs/report"});
  const std::string over = report(0, {"a", "d", "--output", "runs/report"});
  const std::string own = report(0, {"a"}) + report(0, {"a"});
  fs::current_path(before);
  for (const std::string& text : {first, again, same}) EXPECT_THAT(text, HasSubstr("/runs/report/report.html"));
  for (const std::string& text : {other, other_again}) EXPECT_THAT(text, HasSubstr("/runs/report-2/report.html"));
  for (const std::string& text : {first, again, other, other_again, same, own})
    EXPECT_THAT(text, Not(HasSubstr("replaced")));
  EXPECT_THAT(over, HasSubstr("It replaced a report of other runs; another --output keeps both."));
}

}  // namespace
}  // namespace signstep
