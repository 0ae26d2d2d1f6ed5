// SPDX-License-Identifier: Apache-2.0
// The course of a run as CSV and as TensorBoard's event files.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "signstep/export/crc32c.h"
#include "signstep/export/event_file.h"
#include "signstep/export/format.h"
#include "tests/runs/made_up_run.h"
#include "tests/support/message_of.h"
#include "tests/support/python.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class CourseTest : public testing::Test {
 protected:
  CourseTest() { write_run(run_, {.switches = true, .probes = true}); }
  std::vector<std::string> write(const std::string& format, const std::string& name, bool replace = false) const {
    return find_export_format(format).course(RunFiles(run_), folder_.path(name), replace);
  }
  nlohmann::json events(const std::string& file) const {
    const PythonResult read = run_python(SIGNSTEP_READ_EVENTS, {file}, folder_.path(""));
    EXPECT_EQ(read.status, 0) << read.errors;
    return read.status == 0 ? nlohmann::json::parse(read.output) : nlohmann::json();
  }
  TemporaryFolder folder_;
  const std::string run_ = folder_.path("run");
};

TEST_F(CourseTest, CsvHasARowAnEpochAndTheRestBesideIt) {
  EXPECT_THAT(write("csv", "a.csv"), ElementsAre(folder_.path("a.csv"), folder_.path("a-curve.csv"),
                                                 folder_.path("a-probe.csv"), folder_.path("a-events.csv")));
  EXPECT_EQ(read_text_file(folder_.path("a.csv")),
            "epoch,step,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,"
            "test_accuracy,nonfinite,train_seconds,images_per_second\n"
            "1,10,0.001,2.0,20.0,,,2.0,61.0,0,60.0,\n"
            "2,20,0.0005,1.0,40.0,,,1.0,71.0,0,120.0,\n"
            "3,30,0.0003333333333333333,0.6666666666666666,60.0,,,0.6666666666666666,81.0,0,180.0,\n");
  const std::string curve = read_text_file(folder_.path("a-curve.csv"));
  EXPECT_THAT(curve, StartsWith("epoch,step,loss,accuracy,learning_rate,dither_level,gamma,sgd_rate,lambda\n1,1,2.0,2."
                                "0,0.001,0.5,0.5,0.5,\n"));
  EXPECT_THAT(curve, HasSubstr("\n2,16,0.125,32.0,0.001,0.5,,0.5,500.0\n"));  // gamma is null there
  EXPECT_EQ(std::count(curve.begin(), curve.end(), '\n'), 31);
  EXPECT_THAT(read_text_file(folder_.path("a-probe.csv")), HasSubstr("\n2,20,-1.0,,,0.6,,\n"));
  EXPECT_EQ(read_text_file(folder_.path("a-events.csv")),
            "epoch,step,event,lambda,sgd_rate,heavy_ball_rate,text\n2,15,switch,,,,went over to SGD at rate 0.5\n");
}

TEST_F(CourseTest, NothingIsReplacedUnasked) {
  write_file_atomic(folder_.path("a-probe.csv"), "mine");
  EXPECT_THAT(message_of<OptionError>([&] { write("csv", "a.csv"); }), HasSubstr("a-probe.csv exists; choose another"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("a.csv")));
  write("csv", "a.csv", true);
  EXPECT_THAT(read_text_file(folder_.path("a-probe.csv")), StartsWith("epoch,step,"));
  const auto events = write("tensorboard", "logs");
  EXPECT_THAT(message_of<OptionError>([&] { write("tensorboard", "logs"); }), HasSubstr(events.front() + " exists"));
  write("tensorboard", "logs", true);
}

TEST_F(CourseTest, CsvLeavesOutTablesThatARunHasNot) {
  write_run(run_, {});
  EXPECT_THAT(write("csv", "b"), ElementsAre(folder_.path("b"), folder_.path("b-curve")));
  for (const char* table : {"b-probe", "b-events", "b-other"}) write_file_atomic(folder_.path(table), "another run's");
  write("csv", "b", true);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("b-probe")));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("b-events")));
  EXPECT_TRUE(std::filesystem::exists(folder_.path("b-other")));
}

TEST_F(CourseTest, EventFilesAreReadBackByAnIndependentDecoder) {
  if (!python_has("json")) GTEST_SKIP() << "Python is missing, so event files were NOT read back; install python3";
  const auto files = write("tensorboard", "logs/here");
  ASSERT_THAT(files, ElementsAre(folder_.path("logs/here/events.out.tfevents.1767225600.signstep")));
  const nlohmann::json all = events(files.front());
  ASSERT_EQ(all.size(), 1u + 3 * (1 + 10 + 2));  // the event of the switch has no number
  EXPECT_EQ(all[0]["version"], "brain.Event:2");
  const double start = 1767225600;  // 2026-01-01T00:00:00Z
  EXPECT_EQ(all[1]["step"], 1);
  EXPECT_EQ(all[1]["time"], start + 6);  // a tenth of the first epoch's minute
  EXPECT_EQ(all[1]["values"], (nlohmann::json{{"curve/loss", 2.0},
                                              {"curve/accuracy", 2.0},
                                              {"curve/learning_rate", static_cast<double>(0.001f)},
                                              {"curve/dither_level", 0.5},
                                              {"curve/gamma", 0.5},
                                              {"curve/sgd_rate", 0.5}}));
  const nlohmann::json& last = all.back();
  EXPECT_EQ(last["step"], 30);
  EXPECT_EQ(last["time"], start + 180);
  EXPECT_EQ(last["values"]["epoch/test_accuracy"], 81);
  EXPECT_EQ(last["values"]["epoch/nonfinite"], 0);
  EXPECT_FALSE(last["values"].contains("epoch/validation_loss"));  // null
  EXPECT_EQ(all[12]["values"], (nlohmann::json{{"probe/signal", static_cast<double>(1.9f)},
                                               {"probe/noise", 3.0},
                                               {"probe/agreement", static_cast<double>(0.6f)}}));
}

TEST_F(CourseTest, AResumedRunsLogBeginsByVoidingWhatWasBefore) {
  if (!python_has("json")) GTEST_SKIP() << "Python is missing, so event files were NOT read back; install python3";
  write_file_atomic(folder_.path("log"), event_log(RunFiles(run_), /*restart=*/true));
  const nlohmann::json all = events(folder_.path("log"));
  ASSERT_GT(all.size(), 2u);
  EXPECT_EQ(all[1]["session"], 1);
  EXPECT_EQ(all[1]["step"], 0);
}

TEST(EventFileTest, ChecksumAndTime) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(seconds_of("1970-01-02T00:00:01Z"), 86401);
  EXPECT_EQ(seconds_of("yesterday"), 0);
  EXPECT_EQ(seconds_of(""), 0);
}

TEST(ExportFormatTest, AnUnknownNameIsNearestToAKnownOne) {
  EXPECT_THAT(message_of<OptionError>([] { find_export_format("tensorbord"); }),
              HasSubstr("wanted one of safetensors, pt, onnx, csv, tensorboard; did you mean tensorboard?"));
  for (const ExportFormat& format : export_formats()) EXPECT_NE(format.network == nullptr, format.course == nullptr);
}

}  // namespace
}  // namespace signstep
