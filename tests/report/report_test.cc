// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/report.h"

#include <gmock/gmock.h>

#include <cmath>

#include "signstep/report/report_tables.h"
#include "signstep/report/run_charts.h"
#include "signstep/runs/confusion.h"
#include "tests/report/report_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(ReportTest, OneEpochIsShownByStepAndInTheTable) {
  const auto charts = run_charts(group_runs({run("a", {.epochs = 1})}, made_up_options()));
  std::vector<std::string> files;
  for (const NamedChart& c : charts) files.push_back(c.file);
  EXPECT_THAT(files, ElementsAre("train-loss-step", "train-accuracy-step", "learning-rate"));
  const Chart& loss = charts[0].chart;
  ASSERT_EQ(loss.series.size(), 2u);  // as recorded, and smoothed
  EXPECT_EQ(loss.series[0].style, SeriesStyle::kFaint);
  const std::vector<double>&raw = loss.series[0].y, &smooth = loss.series[1].y;
  ASSERT_EQ(smooth.size(), raw.size());
  for (size_t k = 0; k < raw.size(); ++k) {  // as much of what comes as of what was: no lag
    double sum = 0, weight = 0;
    for (size_t i = 0; i < raw.size(); ++i) {
      const double near = std::pow(0.8, std::abs(static_cast<double>(i) - static_cast<double>(k)));
      sum += near * raw[i];
      weight += near;
    }
    EXPECT_NEAR(smooth[k], sum / weight, 1e-12) << k;
  }
}

TEST_F(ReportTest, CurvesAreOfTheRunsThatTheTableCounts) {
  const std::vector<RunSummary> runs = {run("a", {.seed = 1, .epochs = 3}),
                                        run("b", {.seed = 2, .epochs = 1, .status = "running"})};
  const GroupCurve curve = epoch_curve(make_group("g", runs, made_up_options()), &EpochRecord::test_accuracy);
  EXPECT_EQ(curve.x.size(), 3u);
  EXPECT_DOUBLE_EQ(curve.mean[0], runs[0].epochs[0].test_accuracy);
  EXPECT_TRUE(curve.low.empty()) << "one run has no band";
}

TEST_F(ReportTest, ADecayedRateLiesOnTheAxis) {
  RunSummary decayed = run("a", {.epochs = 1});
  decayed.epochs[0].course.curve.learning_rate = {1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-9, 0};
  for (const NamedChart& c : run_charts(group_runs({decayed}, made_up_options()))) {
    if (c.file != "learning-rate") continue;
    EXPECT_EQ(c.chart.y_low, 1e-5);
    EXPECT_EQ(c.chart.series[0].y.back(), 1e-5);
  }
}

TEST_F(ReportTest, WhyARunSwitchedAndWhatWasAnalyzed) {
  const auto groups = three_groups();
  const std::string page_of_run = folder_.path("c/analysis/step #1/");
  fs::create_directories(page_of_run);
  write_file_atomic(page_of_run + kAnalysisPage, "a page");
  write_report({.title = "T", .groups = groups}, folder_.path("out"));
  EXPECT_THAT(page(), HasSubstr("went over to SGD at rate 0.5"));
  EXPECT_THAT(page(), HasSubstr("<td class=\"number\">1.50</td>"));
  EXPECT_THAT(page(), HasSubstr("<a href=\"../c/analysis/step%20%231/analysis.html\">"));
}

TEST_F(ReportTest, WhichClassesAreTakenForWhich) {
  const RunSummary first = run("a", {.seed = 1}), second = run("b", {.seed = 2});
  const auto report = [&] {
    write_report({.title = "T", .groups = group_runs({first, second}, made_up_options())}, folder_.path("out"));
    return page();
  };
  EXPECT_THAT(report(), Not(HasSubstr("<table class=\"confusion\">")));
  const Confusion seen{
      .checkpoint = "step-00000030.safetensors", .classes = {"<cat>", "dog"}, .counts = {{3, 1}, {2, 2}}};
  write_confusion(first.folder, seen);
  for (const char* text : {"<th><span>&lt;cat&gt;</span></th>", "<th>&lt;cat&gt;</th><td>75.0</td>",
                           "<td class=\"right\" style=\"--share:0.75\">3</td>", "<td style=\"--share:0.50\">1</td>",
                           "<td style=\"--share:1.00\">2</td>"})
    EXPECT_THAT(report(), HasSubstr(text));
  write_confusion(second.folder, seen);
  EXPECT_THAT(report(), HasSubstr("The images of 2 runs, counted together."));
  EXPECT_THAT(page(), HasSubstr(">6</td>"));
  fs::create_directories(folder_.path("a/checkpoints"));
  write_file_atomic(folder_.path("a/checkpoints/step-00000040.safetensors"), "");
  EXPECT_THAT(report(), HasSubstr("has a newer checkpoint than step-00000030.safetensors"));
  write_file_atomic(confusion_path(second.folder), "{");
  EXPECT_THAT(report(), HasSubstr("<p class=\"warning\">Which classes are taken for which is left out of a run"));
  EXPECT_THAT(page(), HasSubstr(">3</td>"));
}

TEST_F(ReportTest, AHundredClassesAreLists) {
  const RunSummary one = run("a", {});
  Confusion many{.checkpoint = "x", .classes = {}, .counts = std::vector(100, std::vector<uint64_t>(100))};
  for (size_t k = 0; k < 100; ++k) {
    many.classes.push_back(fmt::format("class {}", k));
    many.counts[k][k] = 5;
    many.counts[k][(k + 1) % 100] = k;
  }
  write_confusion(one.folder, many);
  write_report({.title = "T", .groups = group_runs({one}, made_up_options())}, folder_.path("out"));
  EXPECT_THAT(page(), HasSubstr("<td>class 99</td><td>class 0</td><td class=\"number\">99</td>"));
  EXPECT_THAT(page(), HasSubstr("<summary>Signum: accuracy by class</summary>"));
  EXPECT_THAT(page(), Not(HasSubstr("<table class=\"confusion\">")));
}

TEST_F(ReportTest, PageAndPictures) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const EnvironmentVariable library("SIGNSTEP_DYGRAPHS", "/nowhere");
  const ReportResult result = write_report({.title = "<Title> & more", .groups = three_groups()}, folder_.path("out"));
  EXPECT_EQ(result.problem, "");
  EXPECT_EQ(result.charts, 11u);  // all but validation accuracy, which nobody measured
  for (const char* text : {"&lt;Title&gt; &amp; more", "<svg", "82.00 ± 1.41 %", "sha256 abc", "a processor",
                           "dithered Signum-to-SGD switch", "<td>batch</td>"})
    EXPECT_THAT(page(), HasSubstr(text));
  for (const char* text : {"<script", "src=", "<Title>", "@import"}) EXPECT_THAT(page(), Not(HasSubstr(text)));
  EXPECT_TRUE(fs::exists(folder_.path("out/gamma.svg")));
  // A second report replaces the first, with the pictures that no longer apply.
  write_report({.title = "Again", .groups = group_runs({run("e", {})}, made_up_options())}, folder_.path("out"));
  EXPECT_THAT(page(), HasSubstr("Again"));
  EXPECT_FALSE(fs::exists(folder_.path("out/gamma.svg")));
}

TEST_F(ReportTest, WithoutGnuplotTablesAndAWordAboutIt) {
  const auto groups = three_groups();
  const EnvironmentVariable path("PATH", "/nowhere"), library("SIGNSTEP_DYGRAPHS", "/nowhere");
  const ReportResult result = write_report({.title = "T", .groups = groups}, folder_.path("out"));
  EXPECT_EQ(result.charts, 0u);
  EXPECT_THAT(result.problem, HasSubstr("gnuplot-nox"));
  EXPECT_THAT(page(), HasSubstr("Tables only: gnuplot is not installed"));
  EXPECT_THAT(page(), HasSubstr("82.00 ± 1.41 %"));
  EXPECT_THAT(page(), Not(HasSubstr("<svg")));
}

TEST_F(ReportTest, NothingElseIsOverwritten) {
  fs::create_directories(folder_.path("out"));
  write_file_atomic(folder_.path("out/report.html"), "<html>mine</html>");
  const auto groups = three_groups();
  EXPECT_THAT(message_of<OptionError>([&] { write_report({.title = "T", .groups = groups}, folder_.path("out")); }),
              HasSubstr("is no page of signstep"));
  EXPECT_EQ(page(), "<html>mine</html>");
}

TEST_F(ReportTest, WarnsOfWhatCannotBeCompared) {
  const auto groups = group_runs({run("a", {}), run("b", {.seed = 2, .sha256 = "other"}),
                                  run("c", {.seed = 3, .epochs = 2, .status = "diverged"})},
                                 made_up_options());
  const auto warnings = comparison_warnings(groups);
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("status diverged, 2 epochs")));
  EXPECT_THAT(warnings, testing::Contains("The runs differ in the images (data checksum): abc; other"));
}

// A run that went on elsewhere has a session there.
TEST_F(ReportTest, EverySessionOfARunCounts) {
  RunSummary moved = run("a", {});
  SessionRecord first = sessions_of(moved.record)[0], second = first;
  second.program.commit = "5678";
  second.engine = "avx512, cpu, bf16, 2 threads";
  second.machine.cpu = "another processor";
  moved.record.sessions = {first, second};
  const auto groups = group_runs({moved}, made_up_options());
  EXPECT_THAT(comparison_warnings(groups), testing::Contains("The runs differ in the program's commit: 1234; 5678"));
  EXPECT_THAT(comparison_warnings(groups), testing::Contains(HasSubstr("differ in the engine")));
  write_report({.title = "T", .groups = groups}, folder_.path("out"));
  EXPECT_THAT(page(), HasSubstr("another processor"));
}

TEST_F(ReportTest, WhatIsNoNumberIsADash) {
  write_run(folder_.path("a"), {.epochs = 1, .status = "running"});
  write_file_atomic(folder_.path("a/metrics.jsonl"), R"({"epoch":1,"train_loss":null,"test_accuracy":null})"
                                                     "\n");
  write_report({.title = "T", .groups = group_runs({read_run(folder_.path("a"))}, made_up_options())},
               folder_.path("out"));
  EXPECT_THAT(page(), HasSubstr(">-</td>"));
  EXPECT_THAT(page(), Not(HasSubstr("nan")));
}

TEST(Html, EscapesEverythingThatMeansSomething) {
  EXPECT_EQ(html_escaped("<a href=\"x\" id='y'>&"), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
  const std::string table =
      html_table({.title = "<t>", .header = {"<h>"}, .rows = {{"<c>"}, {"1.5 %"}}, .notes = {"<n>"}});
  EXPECT_THAT(table, HasSubstr("<td>&lt;c&gt;</td>"));
  EXPECT_THAT(table, HasSubstr("<td class=\"number\">1.5 %</td>"));
  for (const char* raw : {"<t>", "<h>", "<c>", "<n>"}) EXPECT_THAT(table, Not(HasSubstr(raw)));
}

TEST_F(ReportTest, WrongTypesInAnEpochAreNoNumbers) {
  write_run(folder_.path("odd"), {});
  std::string text = read_text_file(folder_.path("odd/metrics.jsonl"));
  const std::string odd =
      R"({"epoch":"x","step":[1],"curve":5,"probe":[1],"events":[5,{"event":7},{"event":"switch","step":"x"}]})";
  write_file_atomic(folder_.path("odd/metrics.jsonl"), odd + "\n" + text);
  const auto groups = group_runs({read_run(folder_.path("odd"))}, made_up_options());
  EXPECT_TRUE(switch_epochs(groups[0]).empty());
  for (const NamedChart& c : run_charts(groups)) EXPECT_FALSE(c.file.empty());
  EXPECT_NO_THROW(write_report({.title = "T", .groups = groups}, folder_.path("out")));
}

}  // namespace
}  // namespace signstep
