// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <gmock/gmock.h>

#include "tests/cli/on_terminal.h"

namespace signstep::cli {
namespace {

using std::chrono::hours;

// What a terminal of 12 columns and 4 rows gets; it sends a newline as \r\n.
std::string written(const char* kind, const std::function<void(LiveText&)>& work, bool wanted = true) {
  return on_terminal(kind, 12, 4, [&] {
    LiveText live(wanted, hours(1), hours(1));
    work(live);
  });
}

class TerminalTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!terminals_here()) GTEST_SKIP() << "this system gives out no terminals";
  }
};

TEST_F(TerminalTest, ALineIsDrawnOverTheLastOneAndCutToTheWidth) {
  EXPECT_EQ(written("xterm",
                    [](LiveText& live) {
                      live.draw("12345678901234");
                      live.draw("1234567890\u00e9");  // no half of a character
                    }),
            "\r\x1b[K12345678901\r\x1b[K1234567890\r\x1b[K");
}

TEST_F(TerminalTest, ABlockIsDrawnOverTheLastOneAndLeavesWhatDoesNotFit) {
  EXPECT_EQ(written("xterm",
                    [](LiveText& live) {
                      live.draw("one\ntwo\n");
                      live.draw("1\n2\n3\n4\n5\n");
                      live.line("stays");
                      live.draw("last\n");
                    }),
            "\r\x1b[Kone\r\ntwo\r\n"
            "\x1b[2A\r\x1b[J1\r\n2\r\n3\r\n"
            "\x1b[3A\r\x1b[Jstays\r\n"
            "\r\x1b[Klast\r\n\x1b[1A\r\x1b[J");
}

TEST_F(TerminalTest, ItIsTimeToDrawAtOnceAndToWriteAPlainLineLater) {
  const auto times = [](LiveText& live) {
    std::string text = live.draws() ? "draws" : "plain";
    for (int i = 0; i < 2; ++i) {
      text += live.due() ? " due" : " not";
      if (live.draws()) live.draw(".");
    }
    live.erase();
    text += live.due() ? " due" : " not";
    live.line(text);
  };
  EXPECT_EQ(written("xterm", times), "\r\x1b[K.\r\x1b[K.\r\x1b[Kdraws due not due\r\n");
  for (const char* kind : {"dumb", ""}) EXPECT_EQ(written(kind, times), "plain not not not\r\n");
  EXPECT_EQ(written("xterm", times, false), "plain not not not\r\n");
}

}  // namespace
}  // namespace signstep::cli
