// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/text_table.h"

#include <gtest/gtest.h>

namespace signstep {
namespace {

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCellInCharacters) {
  const TextTable table{{"a", "bb"}, {{"± 1", "x"}, {"", "yyy"}}};
  EXPECT_EQ(aligned(table), "a    bb\n--------\n± 1  x\n     yyy\n");
  EXPECT_EQ(aligned(table, false), "a    bb\n± 1  x\n     yyy\n");
}

TEST(TextTable, ACsvCellIsQuotedWhereItMustBeAndNoFormula) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,b \"c\""), "\"a,b \"\"c\"\"\"");
  EXPECT_EQ(csv_cell("=1+1"), "'=1+1");
  EXPECT_EQ(csv_cell("@x,y"), "\"'@x,y\"");
}

}  // namespace
}  // namespace signstep
