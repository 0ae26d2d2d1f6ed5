// SPDX-License-Identifier: Apache-2.0
// A run folder of release 0.1, which had neither options nor sessions in run.json.
#include <gmock/gmock.h>

#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_folder.h"
#include "signstep/runs/run_summary.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::ElementsAre;

constexpr const char* kFolder = SIGNSTEP_RELEASE_0_1;

TEST(Release01, IsRead) {
  const RunSummary run = read_run(kFolder);
  EXPECT_EQ(method_name(run), "dithered Signum-to-SGD switch");
  EXPECT_EQ(run.config.at("switch_step"), "6");
  EXPECT_EQ(run.steps_per_epoch(), 8);

  const RunRecord& record = run.record;
  EXPECT_EQ(record.status, RunRecord::kFinished);
  EXPECT_EQ(record.ended, "2026-11-20T08:00:02Z");
  EXPECT_EQ(shown(record.program), "signstep 0.1.0 (77c13c0)");
  EXPECT_EQ(shown(record.machine), "a processor, 2 threads");
  EXPECT_EQ(record.data.sha256.size(), 64u);
  EXPECT_FALSE(record.data.official);
  EXPECT_EQ(record.data.train_images, 240u);
  EXPECT_EQ(record.network.width, 4u);
  EXPECT_EQ(record.seed, 1u);
  EXPECT_TRUE(record.options.is_null());
  EXPECT_TRUE(record.sessions.empty());
  EXPECT_EQ(record.last_epoch->test_accuracy, run.last().test_accuracy);

  ASSERT_EQ(run.epochs.size(), 2u);
  const EpochCourse &first = run.epochs[0].course, &second = run.epochs[1].course;
  EXPECT_EQ(first.phase, "blend");
  EXPECT_EQ(second.phase, "sgd");
  ASSERT_EQ(first.events.size(), 1u);
  EXPECT_EQ(first.events[0].event, RunEvent::kSwitch);
  EXPECT_EQ(first.events[0].step, 6u);
  EXPECT_EQ(first.curve.gamma[0], 0.961121);
  EXPECT_TRUE(std::isnan(first.curve.gamma[7]));
  EXPECT_TRUE(second.curve.gamma.empty());
  EXPECT_THAT(second.probe.step, ElementsAre(9, 12, 15));
  EXPECT_THAT(second.probe.noise, ElementsAre(0.936993, 0.620124, 0.967387));
}

// As a resumed run does.
TEST(Release01, ItsLinesAreWrittenAgainToTheByte) {
  const TemporaryFolder folder;
  RunFolder(folder.path("run"), false).write_metrics(read_run(kFolder).epochs);
  const std::string again = read_text_file(folder.path("run/metrics.jsonl"));
  EXPECT_EQ(again, read_text_file(std::string(kFolder) + "/metrics.jsonl"));
}

}  // namespace
}  // namespace signstep
