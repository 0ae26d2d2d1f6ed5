// SPDX-License-Identifier: Apache-2.0
// Opens a report in headless Chromium: SIGNSTEP_BROWSER=chromium ctest --test-dir build -L browser
// The screenshot is kept as build/browser/report.png.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "signstep/report/gnuplot.h"
#include "signstep/report/report.h"
#include "tests/runs/made_up_run.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using testing::Not;

// What the command wrote on standard output and standard error.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw_errno("start", command, "name another browser");
  std::array<char, 65536> buffer;
  for (size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), got);
  ::pclose(pipe);
  return text;
}

class BrowserTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* browser = std::getenv("SIGNSTEP_BROWSER");
    if (browser == nullptr) GTEST_SKIP() << "SIGNSTEP_BROWSER does not name a Chromium";
    if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
    browser_ = fmt::format(
        "'{}' --headless --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr --user-data-dir='{}'",
        browser, folder_.path("profile"));
  }
  std::string open(const std::string& flags, const std::string& page) {
    return output_of(fmt::format("{} {} 'file://{}'", browser_, flags, page));
  }

  TemporaryFolder folder_;
  std::string browser_;
};

TEST_F(BrowserTest, ShowsTheCurvesWithoutAnError) {
  for (int seed = 1; seed <= 2; ++seed) {
    write_run(folder_.path(fmt::format("a{}", seed)), {.seed = seed});
    write_run(folder_.path(fmt::format("b{}", seed)),
              {.seed = seed + 4, .extra_config = "dither = \"relative\"\n", .switches = true});
  }
  ReportContent content{.title = "Browser test", .groups = {}};
  std::vector<RunSummary> runs;
  for (const char* name : {"a1", "a2", "b1", "b2"}) runs.push_back(read_run(folder_.path(name)));
  content.groups = group_runs(std::move(runs), made_up_options());
  const ReportResult report = write_report(content, folder_.path("out"));
  ASSERT_EQ(report.charts, 9u);

  // The page as the browser understood it: every figure holds an svg with the curves' groups.
  const std::string dom = open("--dump-dom", report.path);
  EXPECT_THAT(dom, Not(HasSubstr("CONSOLE"))) << dom.substr(0, 4000);
  EXPECT_THAT(dom, HasSubstr("<figure id=\"test-accuracy\">"));
  EXPECT_THAT(dom, HasSubstr("id=\"test-accuracy-gnuplot_plot_4\""));  // two bands and two curves
  EXPECT_THAT(dom, HasSubstr("id=\"gamma-gnuplot_plot_1\""));

  std::filesystem::create_directories(SIGNSTEP_SCREENSHOTS);
  const std::string picture = std::string(SIGNSTEP_SCREENSHOTS) + "/report.png";
  std::filesystem::remove(picture);
  open(fmt::format("--window-size=1100,4800 --screenshot='{}'", picture), report.path);
  ASSERT_TRUE(std::filesystem::exists(picture));
  EXPECT_GT(std::filesystem::file_size(picture), 50'000u);  // a blank page of this size has a tenth of that
}

TEST_F(BrowserTest, WouldNoticeAnError) {
  write_file_atomic(folder_.path("bad.html"),
                    "<!DOCTYPE html><title>x</title><script>console.error('broken')</script>");
  EXPECT_THAT(open("--dump-dom", folder_.path("bad.html")), HasSubstr("CONSOLE"));
}

}  // namespace
}  // namespace signstep
