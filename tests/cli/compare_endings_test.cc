// SPDX-License-Identifier: Apache-2.0
// Signals and time limits that reach a comparison or one of its runs.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/cli/compare_fixture.h"

namespace signstep {
namespace {

using testing::HasSubstr;

using CompareEndingsTest = CompareTest;

TEST_F(CompareEndingsTest, StopsAndSaysHowToGoOn) {
  EXPECT_THAT(run(75, "out", {"--stop-after", "0.5s"}), HasSubstr("Stopped and saved. The same command continues."));
  Program program(arguments("out"));
  ASSERT_TRUE(program.saw("tuning  ")) << program.output();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 143) << program.output();
}

TEST_F(CompareEndingsTest, AClosedTerminalStopsAndSaves) {
  Program program(arguments("out"));
  ASSERT_TRUE(program.saw("tuning  ")) << program.output();
  program.signal(SIGHUP);
  EXPECT_EQ(program.wait(), 143) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("Stopped and saved."));
}

// Somebody ends a run by hand: it goes on and says so.
TEST_F(CompareEndingsTest, ARunEndedFromOutsideGoesOn) {
  std::string longer = kExperiment;
  longer.replace(longer.find("epochs = 2"), 10, "epochs = 90");
  write_file_atomic(folder_.path("tiny.toml"), longer);
  Program program(arguments("out"));
  const std::string children = fmt::format("/proc/{0}/task/{0}/children", program.id());
  pid_t child = 0;
  for (int look = 0; look < 1000 && child == 0; ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::ifstream(children) >> child;
  }
  ASSERT_GT(child, 0);
  ::kill(child, SIGTERM);
  EXPECT_TRUE(program.saw("ended from outside by a signal; it goes on")) << program.output();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 143) << program.output();
}

}  // namespace
}  // namespace signstep
