// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/label.h"

#include <gmock/gmock.h>

namespace signstep {
namespace {

using testing::HasSubstr;

TEST(Label, OneLineThatCanBeShown) {
  for (const char* good : {"", "SGD", "Größe ± 1, 日本 😀"}) EXPECT_EQ(label_problem(good, 20), "") << good;
  for (const char* bad : {"a\nb", "\x1b[31m", "a\tb", "\x7f",
                          "\xc2\x9b"
                          "31m",
                          "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6"})
    EXPECT_THAT(label_problem(bad, 20), HasSubstr("a control character"));
  for (const char* bad : {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80"})
    EXPECT_THAT(label_problem(bad, 20), HasSubstr("is not UTF-8"));
  EXPECT_EQ(label_problem("ääääää", 5), "has 6 characters; wanted at most 5");
  EXPECT_EQ(label_problem("äääää", 5), "");
  EXPECT_EQ(printable("a\x1b[31mb\nc\xc2\x9b"
                      "d"),
            "a [31mb c d");
  EXPECT_EQ(printable("a\xff"), "a\xef\xbf\xbd");
}

}  // namespace
}  // namespace signstep
