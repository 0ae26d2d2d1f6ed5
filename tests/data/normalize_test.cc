// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/normalize.h"

#include <cmath>

#include "signstep/data/catalog.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

TEST(Normalize, MeasuresEachChannel) {
  const ImageSet set{.channels = 2,
                     .height = 1,
                     .width = 2,
                     .classes = 1,
                     .pixels = {0, 255, 51, 51, 255, 0, 51, 51},
                     .labels = {0, 0}};
  const Normalization measured = measure_normalization(set);
  EXPECT_THAT(measured.mean, testing::ElementsAre(0.5f, 0.2f));
  EXPECT_FLOAT_EQ(measured.std[0], 0.5f);
  EXPECT_NEAR(measured.std[1], 0, 1e-7);
}

TEST(Normalize, TablesAreTheFormula) {
  for (const char* name : {"cifar10", "mnist"}) {
    const Normalization n = find_dataset(name).normalization;
    const auto tables = pixel_tables(n);
    ASSERT_EQ(tables.size(), n.mean.size());
    for (size_t c = 0; c < tables.size(); ++c) {
      for (size_t p = 0; p < 256; ++p) {
        ASSERT_NEAR(tables[c][p], (static_cast<float>(p) / 255 - n.mean[c]) / n.std[c], 1e-6);
      }
    }
  }
}

TEST(Normalize, RefusesWhatCannotDivide) {
  EXPECT_THROW(pixel_tables({{0.5f}, {}}), OptionError);
  EXPECT_THROW(pixel_tables({{0.5f}, {0.0f}}), OptionError);
  EXPECT_THROW(pixel_tables({{0.5f}, {std::nanf("")}}), OptionError);
}

}  // namespace
}  // namespace signstep
