// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/epoch_record.h"

#include <gmock/gmock.h>

#include "signstep/runs/run_record.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

EpochRecord read(const char* text) { return fields_from<EpochRecord>(nlohmann::ordered_json::parse(text)); }

std::vector<std::string> keys(const nlohmann::ordered_json& json) {
  std::vector<std::string> out;
  for (const auto& [key, value] : json.items()) out.push_back(key);
  return out;
}

TEST(EpochRecord, WhatWasNotMeasuredIsNullAndWhatDidNotHappenIsLeftOut) {
  EpochRecord record{.epoch = 1, .step = 8, .learning_rate = 0.5, .train_loss = 2, .train_accuracy = 10};
  record.test_loss = 1.5;
  record.test_accuracy = 11;
  record.train_seconds = 3;
  EXPECT_EQ(fields_json(record).dump(),
            R"({"epoch":1,"step":8,"learning_rate":0.5,"train_loss":2.0,"train_accuracy":10.0,)"
            R"("validation_loss":null,"validation_accuracy":null,"test_loss":1.5,"test_accuracy":11.0,"nonfinite":0,)"
            R"("train_seconds":3.0,"images_per_second":null})");
  EXPECT_EQ(fields_json(EpochCourse{}).dump(), "{}");
}

TEST(EpochRecord, PartsStandInTheOrderInWhichTheyCame) {
  EpochCourse course;
  course.curve.step = {9, 10};
  course.curve.learning_rate = {0.1, 0.1};
  course.phase = "sign";
  EXPECT_THAT(keys(fields_json(course)), ElementsAre("curve", "phase"));
  course.events = {{.step = 10, .event = RunEvent::kSwitch}};
  course.probe.step = {9};
  EXPECT_THAT(keys(fields_json(course)), ElementsAre("probe", "curve", "phase", "events"));
  course.events[0].step = 9;
  course.probe.step = {10};
  EXPECT_THAT(keys(fields_json(course)), ElementsAre("curve", "events", "phase", "probe"));
}

TEST(EpochRecord, ArraysThatSayNothingAreDropped) {
  StepCurve curve{.step = {1, 2},
                  .learning_rate = {0, 0},
                  .dither_level = {0, 0},
                  .gamma = {kNotSaid, 0.5},
                  .lambda = {kNotSaid, 0},
                  .sgd_rate = {0.25, 0.5}};
  drop_silent(curve);
  EXPECT_EQ(fields_json(curve).dump(),
            R"({"step":[1,2],"learning_rate":[0.0,0.0],"gamma":[null,0.5],"sgd_rate":[0.25,0.5]})");
}

TEST(EpochRecord, OtherTypesAreNotSaid) {
  const EpochRecord record = read(
      R"({"epoch":"x","step":[1],"nonfinite":-1,"test_loss":"1","test_accuracy":50,"phase":3,"probe":[1],)"
      R"("curve":{"step":[1,"x",3],"gamma":[null,0.5,{}]},"events":[5,{"event":7},{"event":"switch","step":1.5}]})");
  EXPECT_EQ(record.epoch, 0u);
  EXPECT_EQ(record.step, 0u);
  EXPECT_EQ(record.nonfinite, 0u);
  EXPECT_TRUE(std::isnan(record.test_loss));
  EXPECT_EQ(record.test_accuracy, 50);
  EXPECT_EQ(record.course.phase, "");
  EXPECT_TRUE(record.course.probe.empty());
  EXPECT_THAT(record.course.curve.step, ElementsAre(1, 0, 3));
  EXPECT_THAT(record.course.curve.gamma, ElementsAre(testing::IsNan(), 0.5, testing::IsNan()));
  ASSERT_EQ(record.course.events.size(), 3u);
  EXPECT_EQ(record.course.events[2].event, RunEvent::kSwitch);
  EXPECT_EQ(record.course.events[2].step, 0u);
  for (const char* text : {"5", "null", "[]", "{}", "\"x\""}) EXPECT_EQ(read(text).epoch, 0u) << text;
}

TEST(RunRecord, KeysStandInTheirOrder) {
  const nlohmann::ordered_json json = fields_json(RunRecord{});
  EXPECT_THAT(keys(json), ElementsAre("schema_version", "status", "started", "ended", "program", "machine", "engine",
                                      "data", "network", "optimizer", "seed", "options", "sessions", "last_epoch"));
  EXPECT_THAT(keys(json["data"]), ElementsAre("dataset", "folder", "sha256", "official", "train_images",
                                              "validation_images", "test_images"));
  EXPECT_TRUE(json["ended"].is_null());
  EXPECT_TRUE(json["last_epoch"].is_null());
  EXPECT_THAT(json["sessions"], IsEmpty());
  EXPECT_THAT(keys(fields_json(SessionRecord{})), ElementsAre("started", "step", "program", "machine", "engine"));
}

TEST(Fields, AFieldIsNamedByItsMember) {
  EXPECT_STREQ(key_of(&EpochRecord::test_accuracy), "test_accuracy");
  EXPECT_STREQ(key_of(&RunRecord::last_epoch), "last_epoch");
  EXPECT_STREQ(key_of(&StepCurve::gamma), "gamma");
}

}  // namespace
}  // namespace signstep
