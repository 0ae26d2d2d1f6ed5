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

TEST(IsUtf8, EveryLengthToItsBounds) {
  for (const char* text : {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(IsUtf8, RefusesWhatOnlyLooksLikeIt) {
  for (const char* text : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",  // overlong, or no lead
                           "\xED\xA0\x80", "\xED\xBF\xBF",                                      // surrogates
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",                      // above U+10FFFF
                           "\xC3", "\xE2\x82", "\xF0\x9F\x98", "a\xE2\x82z", "\xC3\x28"})       // cut short
    EXPECT_FALSE(is_utf8(text)) << text;
}

}  // namespace
}  // namespace signstep
