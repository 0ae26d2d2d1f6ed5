// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/number.h"

#include <gmock/gmock.h>

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(Number, TheWholeTextOrNothing) {
  EXPECT_EQ(parse_integer("60_000"), 60000);
  EXPECT_EQ(parse_integer("+3"), 3);
  EXPECT_EQ(parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_number("1e-3"), 1e-3);
  EXPECT_EQ(parse_number("1_000.5"), 1000.5);
  for (const char* bad : {"", " 1", "1 ", "1x", "+-1", "_1", "1_", "1__0", "0x10"}) {
    EXPECT_EQ(parse_integer(bad), std::nullopt) << bad;
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_integer("1.5"), std::nullopt);
  EXPECT_EQ(parse_number("1e999"), std::nullopt);
}

TEST(Number, Lists) {
  EXPECT_THAT(parse_list<double>("0.5,0.75"), Optional(ElementsAre(0.5, 0.75)));
  EXPECT_THAT(parse_list<double>(" 0.5 , 0.75 "), Optional(ElementsAre(0.5, 0.75)));
  EXPECT_THAT(parse_list<int64_t>("8,1"), Optional(ElementsAre(8, 1)));
  EXPECT_THAT(parse_list<int64_t>(""), Optional(IsEmpty()));
  for (const char* bad : {",", "1,", ",1", "1,,2", "1;2", "1 2", "a", "1,b"})
    EXPECT_EQ(parse_list<int64_t>(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace signstep
