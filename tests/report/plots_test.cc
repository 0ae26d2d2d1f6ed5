// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/plots.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/report/figures.h"
#include "signstep/report/interactive.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

Chart two_curves() {
  return {.title = "Accuracy",
          .x_label = "epoch",
          .y_label = "test accuracy (%)",
          .series = {{.name = "Signum", .x = {1, 2, 3}, .y = {10, 20, 30}, .low = {8, 19, 29}, .high = {12, 21, 31}},
                     {.name = "SGD", .x = {1, 2, 3}, .y = {11, NAN, 28}}},
          .markers = {{.x = 2, .name = "switch", .color = 1}}};
}

TEST(Plots, DrawsCurvesBandsAndMarkersWithALegend) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const Drawing drawing = draw(two_curves(), "first");
  ASSERT_TRUE(drawing) << drawing.problem;
  EXPECT_TRUE(drawing.svg.starts_with("<svg"));
  for (const char* text : {"Signum", "SGD", "switch", "test accuracy (%)", "epoch"})
    EXPECT_THAT(drawing.svg, HasSubstr(text));
  size_t ids = 0;  // every id carries the prefix
  for (size_t at = 0; (at = drawing.svg.find(" id=", at)) != std::string::npos; at += 5, ++ids)
    EXPECT_EQ(drawing.svg.substr(at + 5, 6), "first-");
  EXPECT_GT(ids, 5u);
}

TEST(Plots, NamesAreTextWhateverTheyHold) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  Chart chart = two_curves();
  chart.series[0].name = "it's <b> & `touch /tmp/no` @x \\n a_b^c\n%d";
  const Drawing drawing = draw(chart, "p");
  ASSERT_TRUE(drawing) << drawing.problem;
  EXPECT_THAT(drawing.svg, HasSubstr("it's &lt;b> &amp; `touch /tmp/no` @x \\n a_b^c %d"));
}

TEST(Plots, LogarithmicAxesLeaveOutWhatIsNotPositive) {
  Chart chart = two_curves();
  chart.log_y = true;
  chart.series[1].y = {0, -1, 5};
  EXPECT_THAT(chart_script(chart), HasSubstr("$data1 << END\n\n\n3 5 5 5\nEND\n"));
}

TEST(Plots, AChartWithoutPointsSaysSo) {
  Chart chart = two_curves();
  for (Series& s : chart.series) s.y.assign(3, NAN);
  EXPECT_THAT(draw(chart, "p").problem, HasSubstr("'Accuracy' has no point"));
}

TEST(Plots, WithoutGnuplotTheResultSaysHowToGetIt) {
  const EnvironmentVariable path("PATH", "/nowhere");
  EXPECT_FALSE(gnuplot_available());
  const Drawing drawing = draw(two_curves(), "p");
  EXPECT_FALSE(drawing);
  EXPECT_THAT(drawing.problem, HasSubstr("gnuplot-nox"));
}

TEST(Plots, AFailingScriptReportsWhatGnuplotSaid) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const Drawing drawing = run_gnuplot("set terminal svg\nplot undefined_thing\n", "p");
  EXPECT_FALSE(drawing);
  EXPECT_THAT(drawing.problem, HasSubstr("undefined_thing"));
}

TEST(Plots, TheLegendStandsBelowInAsManyColumnsAsItsNamesLeaveRoomFor) {
  Chart chart = two_curves();
  EXPECT_THAT(chart_script(chart), HasSubstr("size 860,439 "));  // one line for three names
  EXPECT_THAT(chart_script(chart),
              HasSubstr("set key bmargin center horizontal Left reverse spacing 1.35 samplen 2.4 maxcols 3"));
  chart.series[0].name = std::string(100, 'x');
  EXPECT_THAT(chart_script(chart), HasSubstr("size 860,477 "));
  EXPECT_THAT(chart_script(chart), HasSubstr("maxcols 1\n"));
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  // The x axis reaches over most of the picture however long a name is.
  const std::string svg = draw(chart, "p").svg;
  const size_t frame = svg.find("<g id=\"p-gnuplot_plot_");
  EXPECT_NE(frame, std::string::npos);
  EXPECT_THAT(svg, HasSubstr("<title>Accuracy</title>"));
}

TEST(Plots, APointBetweenGapsIsSeen) {
  Chart chart = two_curves();
  chart.series[1].y = {11, NAN, 28};  // no line reaches either
  EXPECT_THAT(chart_script(chart), HasSubstr("$lone1 << END\n1 11\n3 28\nEND\n"));
  EXPECT_THAT(chart_script(chart), Not(HasSubstr("$lone0")));
  chart.series[1].style = SeriesStyle::kPoints;  // points are seen anyway
  EXPECT_THAT(chart_script(chart), Not(HasSubstr("$lone1")));
}

TEST(Plots, NamesStandUnderTheAxisAndLevelsAcrossIt) {
  Chart chart{.title = "By tensor",
              .x_label = "",
              .y_label = "share",
              .series = {{.name = "a", .x = {0, 1}, .y = {1, 2}, .style = SeriesStyle::kPoints}},
              .levels = {{.y = 1, .name = "the bound"}},
              .x_names = {"conv1", "it's"}};
  const std::string script = chart_script(chart);
  EXPECT_THAT(script, HasSubstr("set xtics ('conv1' 0, 'it''s' 1)"));
  EXPECT_THAT(script, HasSubstr("set xrange [-0.5:1.5]"));
  EXPECT_THAT(script, HasSubstr("from graph 0, first 1 to graph 1, first 1"));
  chart.x_names.assign(62, "layer1.0.conv1.weight");
  EXPECT_THAT(chart_script(chart), HasSubstr("set xtics rotate by 90 right ("));
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  EXPECT_THAT(draw(chart, "p").svg, HasSubstr("layer1.0.conv1.weight"));
}

TEST(Plots, InteractiveDataIsNoMarkup) {
  Chart chart = two_curves();
  chart.series[0].name = "</script><b>\xff";
  const std::string html = interactive_chart(chart);
  EXPECT_EQ(html.find("</script"), html.rfind("</script"));
  EXPECT_THAT(html, HasSubstr("\"y\":[11.0,null,28.0]"));
  EXPECT_THAT(html, HasSubstr("\"low\":[8.0,19.0,29.0]"));
  EXPECT_THAT(html, HasSubstr("\"color\":\"#d55e00\""));
}

TEST(Plots, TheLibraryIsTakenOnlyWhenItFitsIntoAPage) {
  const TemporaryFolder folder;
  const EnvironmentVariable library("SIGNSTEP_DYGRAPHS", folder.path("lib.js").c_str());
  EXPECT_EQ(chart_library(), "");
  write_file_atomic(folder.path("lib.js"), "var Dygraph = 1;");
  EXPECT_EQ(chart_library(), "var Dygraph = 1;");
  write_file_atomic(folder.path("lib.js"), "var Dygraph = '</script>';");
  EXPECT_EQ(chart_library(), "");
  write_file_atomic(folder.path("lib.js"), "something else");
  EXPECT_EQ(chart_library(), "");
}

// What a report wrote before goes unless it is drawn again; a chart without points stops no other.
TEST(Figures, AreWrittenAndTheEarlierOnesRemoved) {
  if (!gnuplot_available()) GTEST_SKIP() << "gnuplot is not installed";
  const TemporaryFolder folder;
  for (const char* file : {"a", "b", "c", "mine"}) write_file_atomic(folder.path(fmt::format("{}.svg", file)), "old");
  Chart empty = two_curves();
  for (Series& s : empty.series) s.y.assign(3, NAN);
  const std::vector<NamedChart> charts = {{"a", "first", empty}, {"b", "second", two_curves()}};
  const Figures figures = write_figures(charts, {.folder = folder.path(""), .earlier = {"a", "b", "c"}, .ours = true});
  EXPECT_EQ(figures.problem, "");
  EXPECT_EQ(figures_text(figures), ", 1 figures (*.svg)");
  ASSERT_EQ(figures.drawn.size(), 1u);
  EXPECT_EQ(figures.drawn[0].caption, "second");
  EXPECT_EQ(read_text_file(folder.path("b.svg")),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- drawn by signstep -->\n" + figures.drawn[0].svg);
  EXPECT_EQ(read_text_file(folder.path("mine.svg")), "old");
  for (const char* file : {"a.svg", "c.svg"}) EXPECT_FALSE(std::filesystem::exists(folder.path(file))) << file;
}

// Without a page of ours beside them, what has no mark of ours is somebody's own.
TEST(Figures, OfOthersAreNotTouched) {
  const TemporaryFolder folder;
  for (const char* file : {"b", "c"}) write_file_atomic(folder.path(fmt::format("{}.svg", file)), "mine");
  const FigureOptions options{.folder = folder.path(""), .earlier = {"a", "b", "c"}};
  EXPECT_THAT(
      [&] {
        write_figures({{"b", "", two_curves()}}, options);
      },
      ThrowsMessage<OptionError>(HasSubstr("b.svg exists and is no figure of signstep")));
  write_figures({{"a", "", two_curves()}}, options);
  for (const char* file : {"b.svg", "c.svg"}) EXPECT_EQ(read_text_file(folder.path(file)), "mine");
  if (!gnuplot_available()) return;
  write_figures({{"a", "", two_curves()}}, options);  // its own are replaced, and go
  write_figures({}, options);
  EXPECT_FALSE(std::filesystem::exists(folder.path("a.svg")));
}

TEST(Figures, StopAtAMissingGnuplot) {
  const EnvironmentVariable path("PATH", "/nowhere");
  const TemporaryFolder folder;
  const Figures figures = write_figures({{"a", "", two_curves()}}, {.folder = folder.path("")});
  EXPECT_EQ(figures.pictures(), 0u);
  EXPECT_THAT(figures.problem, HasSubstr("gnuplot-nox"));
  EXPECT_THAT(figures_text(figures), HasSubstr("No figures"));
  // To be read with a mouse they need none.
  const EnvironmentVariable library("SIGNSTEP_DYGRAPHS", folder.path("lib.js").c_str());
  EXPECT_EQ(figures_html(figures).body, "");
  write_file_atomic(folder.path("lib.js"), "var Dygraph;");
  const FigureHtml html = figures_html(figures);
  EXPECT_THAT(html.body, HasSubstr("<figure id=\"a\">"));
  EXPECT_EQ(html.scripts.size(), 2u);
}

}  // namespace
}  // namespace signstep
