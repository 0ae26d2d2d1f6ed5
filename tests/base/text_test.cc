// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/text.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace signstep {
namespace {

TEST(ShellQuoted, PlainWordsStayAsTheyAre) {
  EXPECT_EQ(shell_quoted("runs/a-b_1.2"), "runs/a-b_1.2");
  EXPECT_EQ(shell_quoted("my runs"), "'my runs'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

// The shell itself is the judge.
TEST(ShellQuoted, AShellReadsBackEveryByte) {
  for (int c = 1; c < 256; ++c) {
    const std::string word = {'a', static_cast<char>(c), static_cast<char>(c), 'b'};
    FILE* shell = popen(("printf %s " + shell_quoted(word)).c_str(), "r");
    ASSERT_NE(shell, nullptr);
    char seen[16];
    const size_t length = fread(seen, 1, sizeof seen, shell);
    EXPECT_EQ(pclose(shell), 0) << c;
    EXPECT_EQ(std::string(seen, length), word) << c;
  }
}

}  // namespace
}  // namespace signstep
