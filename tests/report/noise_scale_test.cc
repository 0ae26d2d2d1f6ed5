// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/noise_scale.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "signstep/report/run_charts.h"
#include "tests/runs/made_up_run.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

// Epochs of 200 images at batch 150: a probe at the whole batch, one at the last, of 50.
RunSummary probed_run(double single, std::vector<double> signal) {
  RunSummary run;
  run.record.data.train_images = 200;
  run.config = {{"batch", "150"}};
  EpochRecord epoch;
  epoch.epoch = 1;
  epoch.step = 2;
  epoch.course.probe.step = {1, 2};
  epoch.course.probe.signal = std::move(signal);
  epoch.course.probe.noise = {single / 150 * 50 / 199, single / 50 * 150 / 199};
  run.epochs.push_back(epoch);
  return run;
}

TEST(NoiseScale, IsThatOfSingleImagesWhateverTheBatch) {
  RunGroup group{.name = "a", .runs = {probed_run(300, {1.0, 1.1})}};
  EXPECT_NEAR(noise_scale_curve(group).mean.at(0), 300 / 1.05, 1e-9);
  group.runs[0].epochs[0].course.probe.signal[1] = -0.5;  // 0.25 +- 0.75
  EXPECT_TRUE(std::isnan(noise_scale_curve(group).mean.at(0)));
}

TEST(NoiseScale, PoolsTheProbesOfAllRuns) {
  const RunGroup group{
      .name = "a", .runs = {probed_run(300, {1.5, 1.2}), probed_run(300, {-0.1, 1.0}), probed_run(300, {0.9, 1.1})}};
  EXPECT_NEAR(noise_scale_curve(group).mean.at(0), 300 / (5.6 / 6), 1e-9);
}

TEST(NoiseScale, ChartsOfProbedRuns) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& name, const MadeUpRun& made_up) {
    write_run(folder.path(name), made_up);
    return read_run(folder.path(name));
  };
  const auto groups = group_runs(
      {run("a", {.extra_config = "batch = 5\n", .probes = true}), run("b", {.optimizer = "SGD"})}, made_up_options());
  const RunSummary& probed = groups[0].runs[0];
  EXPECT_DOUBLE_EQ(sign_agreement(probed, 0), 55);
  const GroupCurve scale = noise_scale_curve(groups[0]);
  ASSERT_EQ(scale.x.size(), 3u);
  EXPECT_DOUBLE_EQ(scale.mean[0], 5.0 * 4 * 49 / 45 / 2);  // batches of 5 of 50; means of 5 and 3, of 2.1 and 1.9
  EXPECT_TRUE(std::isnan(scale.mean[1]));
  EXPECT_TRUE(std::isnan(sign_agreement(groups[1].runs[0], 0)));
  const auto charts = run_charts(groups);
  const auto drawn = [&](const char* file) {
    return std::count_if(charts.begin(), charts.end(), [&](const NamedChart& c) { return c.file == file; });
  };
  EXPECT_EQ(drawn("sign-agreement"), 1);
  EXPECT_EQ(drawn("noise-scale"), 1);
  EXPECT_EQ(drawn("gamma"), 0);
}

}  // namespace
}  // namespace signstep
