// SPDX-License-Identifier: Apache-2.0
// Opens pages in headless Chromium: SIGNSTEP_BROWSER=chromium ctest --test-dir build -L browser
// Screenshots are kept as build/browser/*.png.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "signstep/report/gnuplot.h"
#include "signstep/report/interactive.h"
#include "signstep/report/page.h"
#include "signstep/report/report.h"
#include "tests/report/page_probe.h"
#include "tests/runs/made_up_run.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
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
    std::filesystem::create_directories(SIGNSTEP_SCREENSHOTS);
  }
  std::string open(const std::string& flags, const std::string& page) {
    return output_of(fmt::format("{} {} 'file://{}'", browser_, flags, page));
  }
  std::string screenshot(const std::string& flags, const std::string& page, const std::string& name) {
    const std::string picture = fmt::format("{}/{}.png", SIGNSTEP_SCREENSHOTS, name);
    std::filesystem::remove(picture);
    open(fmt::format("{} --screenshot='{}'", flags, picture), page);
    return picture;
  }
  ReportResult report() {
    for (int seed = 1; seed <= 2; ++seed) {
      write_run(folder_.path(fmt::format("a{}", seed)), {.seed = seed});
      write_run(folder_.path(fmt::format("b{}", seed)),
                {.seed = seed + 4, .extra_config = "dither = \"relative\"\n", .switches = true});
    }
    ReportContent content{.title = "Browser test", .groups = {}};
    std::vector<RunSummary> runs;
    for (const char* name : {"a1", "a2", "b1", "b2"}) runs.push_back(read_run(folder_.path(name)));
    content.groups = group_runs(std::move(runs), made_up_options());
    return write_report(content, folder_.path("out"));
  }
  // What the probe saw in a copy of the page whose policy lets it run.
  nlohmann::json probe(const std::string& page, int width) {
    std::string html = read_text_file(page);
    const size_t policy = html.find("<meta http-equiv=\"Content-Security-Policy\""), end = html.find('>', policy);
    html.erase(policy, end + 1 - policy);
    html.insert(html.rfind("</body>"), fmt::format("<script>{}</script>\n", kPageProbe));
    write_file_atomic(folder_.path("probed.html"), html);
    const std::string dom = open(fmt::format("--window-size={},1200 --virtual-time-budget=4000 --dump-dom", width),
                                 folder_.path("probed.html"));
    const std::string mark = "<pre id=\"probe\">";
    const size_t begin = dom.find(mark);
    EXPECT_NE(begin, std::string::npos) << dom.substr(0, 4000);
    if (begin == std::string::npos) return {};
    const size_t from = begin + mark.size();
    return nlohmann::json::parse(dom.substr(from, dom.find("</pre>", from) - from));
  }

  TemporaryFolder folder_;
  std::string browser_;
};

TEST_F(BrowserTest, ShowsThePicturesWithoutAnError) {
  const EnvironmentVariable library("SIGNSTEP_DYGRAPHS", "/nowhere");
  const ReportResult made = report();
  ASSERT_EQ(made.charts, 11u);
  // The page as the browser understood it: every figure holds an svg with the curves' groups.
  const std::string dom = open("--dump-dom", made.path);
  EXPECT_THAT(dom, Not(HasSubstr("CONSOLE"))) << dom.substr(0, 4000);
  EXPECT_THAT(dom, HasSubstr("<figure id=\"test-accuracy\">"));
  EXPECT_THAT(dom, HasSubstr("id=\"test-accuracy-gnuplot_plot_4\""));  // two bands and two curves
  EXPECT_THAT(dom, HasSubstr("id=\"gamma-gnuplot_plot_1\""));
  const std::string picture = screenshot("--window-size=1100,4800", made.path, "report-svg");
  ASSERT_TRUE(std::filesystem::exists(picture));
  EXPECT_GT(std::filesystem::file_size(picture), 50'000u);  // a blank page of this size has a tenth of that
}

TEST_F(BrowserTest, ChartsAreReadWithAMouse) {
  if (chart_library().empty()) GTEST_SKIP() << "dygraphs is not installed (Debian: libjs-dygraphs)";
  const ReportResult made = report();
  const std::string dom = open("--virtual-time-budget=4000 --dump-dom", made.path);
  EXPECT_THAT(dom, Not(HasSubstr("CONSOLE"))) << dom.substr(0, 4000);  // the policy lets our scripts run
  EXPECT_THAT(dom, HasSubstr("class=\"drawn\""));
  for (const int width : {1400, 500}) {
    const nlohmann::json seen = probe(made.path, width);
    EXPECT_EQ(seen["width"], width);
    EXPECT_THAT(seen["errors"], IsEmpty()) << seen["errors"];
    EXPECT_EQ(seen["charts"], 11) << "one canvas pair a figure";
    EXPECT_EQ(seen["sideways"], false) << "the page scrolls sideways at " << width;
    EXPECT_THAT(seen["overlaps"], IsEmpty()) << seen["overlaps"].dump(1);
    EXPECT_THAT(seen["blank"], IsEmpty()) << "charts without an axis: " << seen["blank"];
    EXPECT_THAT(seen["at"].get<std::string>(), HasSubstr("epoch 2"));
    EXPECT_EQ(seen["values"][0], "71.5") << "mean of seeds 1 and 2 at epoch 2";
    EXPECT_EQ(seen["zoomed"], true) << "dragging shows a part of the axis: " << seen["labels"];
    EXPECT_EQ(seen["unzoomed"], true) << "a double click shows all of it: " << seen["labels"];
    EXPECT_EQ(seen["switched_off"], seen["shown_in"]) << "a name is switched off in every chart that has it";
    EXPECT_GT(seen["switched_off"], 5);
    EXPECT_EQ(seen["pictures_seen"], 0) << "the svg is for print";
    EXPECT_GT(seen["plot_share"], 0.9) << "plots have the page's width";
  }
  for (const char* name : {"1400", "500"})
    screenshot(fmt::format("--virtual-time-budget=4000 --window-size={},6000", name), made.path,
               fmt::format("report-{}", name));
}

TEST_F(BrowserTest, LogarithmicAxesNamesAndLonePoints) {
  if (chart_library().empty()) GTEST_SKIP() << "dygraphs is not installed (Debian: libjs-dygraphs)";
  const Series bars{
      .name = "mean", .x = {0, 1}, .y = {3, 4}, .low = {2, 3}, .high = {4, 5}, .style = SeriesStyle::kBars};
  std::vector<NamedChart> charts{
      {"log",
       "",
       {.title = "Log",
        .x_label = "S",
        .y_label = "p",
        .series = {{.name = "a", .x = {0.03, 0.1, 1, 10}, .y = {1, NAN, 2, 3}}},
        .log_x = true}},
      {"names",
       "",
       {.title = "Names",
        .x_label = "",
        .y_label = "y",
        .series = {bars},
        .levels = {{.y = 1, .name = "one"}},
        .x_names = {"layer1.0.conv1.weight", "fc.bias"}}},
      {"one", "", {.title = "One", .x_label = "epoch", .y_label = "y", .series = {{.name = "a", .x = {1}, .y = {2}}}}}};
  write_page({.title = "T", .verdict = "V.", .facts = {}, .words = {{"w", "m"}}, .tables = {}}, charts,
             folder_.path(""), "page.html");
  for (const int width : {1400, 500}) {
    const nlohmann::json seen = probe(folder_.path("page.html"), width);
    EXPECT_EQ(seen["charts"], 3);
    EXPECT_THAT(seen["errors"], IsEmpty()) << seen["errors"];
    EXPECT_THAT(seen["overlaps"], IsEmpty()) << seen["overlaps"].dump(1);
    EXPECT_THAT(seen["blank"], IsEmpty()) << seen["blank"];
    EXPECT_EQ(seen["zoomed"], true) << seen["labels"];
    EXPECT_EQ(seen["unzoomed"], true) << seen["labels"];
  }
}

TEST_F(BrowserTest, WouldNoticeAnError) {
  write_file_atomic(folder_.path("bad.html"),
                    "<!DOCTYPE html><title>x</title><script>console.error('broken')</script>");
  EXPECT_THAT(open("--dump-dom", folder_.path("bad.html")), HasSubstr("CONSOLE"));
}

}  // namespace
}  // namespace signstep
