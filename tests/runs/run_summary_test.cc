// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_summary.h"

#include <gmock/gmock.h>

#include "tests/runs/made_up_run.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunSummaryTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(RunSummaryTest, FoldersWithoutARunOrWithoutMetrics) {
  const auto message = [&](const std::string& name) {
    return message_of<OptionError>([&] { read_run(folder_.path(name)); });
  };
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_run(folder_.path("gone")); }), HasSubstr("does not exist"));
  fs::create_directories(folder_.path("nothing"));
  EXPECT_THAT(message("nothing"), HasSubstr("holds no run"));
  fs::create_directories(folder_.path("experiment"));
  write_file_atomic(folder_.path("experiment/experiment.json"), "{}");
  EXPECT_THAT(message("experiment"), HasSubstr("signstep compare FILE --collect makes its report"));
  write_run(folder_.path("young"), {.epochs = 0, .status = "running"});
  EXPECT_THAT(message("young"), HasSubstr("has no finished epoch yet (status running)"));
  fs::remove(folder_.path("young/metrics.jsonl"));
  EXPECT_THAT(message("young"), HasSubstr("has no finished epoch yet"));
  write_run(folder_.path("damaged"), {});
  write_file_atomic(folder_.path("damaged/run.json"), "{");
  EXPECT_THAT(message_of<DataError>([&] { read_run(folder_.path("damaged")); }), HasSubstr("damaged"));
}

TEST_F(RunSummaryTest, MetricsThatContradictTheRecordAreRefused) {
  write_run(folder_.path("a"), {});
  std::string text = read_text_file(folder_.path("a/metrics.jsonl"));
  const size_t at = text.rfind("\"test_accuracy\":81.0");
  ASSERT_NE(at, std::string::npos);
  write_file_atomic(folder_.path("a/metrics.jsonl"), text.replace(at, 20, "\"test_accuracy\":99.9"));
  EXPECT_THAT(
      message_of<DataError>([&] { read_run(folder_.path("a")); }),
      HasSubstr("a/metrics.jsonl contradicts run.json: test_accuracy of the last epoch is 99.9 here and 81.0 there"));
}

}  // namespace
}  // namespace signstep
