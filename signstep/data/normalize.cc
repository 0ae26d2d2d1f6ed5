// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/normalize.h"

#include <cmath>

#include "signstep/base/error.h"

namespace signstep {

Normalization measure_normalization(const ImageSet& set) {
  const size_t plane = static_cast<size_t>(set.height) * set.width;
  std::vector<std::array<uint64_t, 256>> histograms(static_cast<size_t>(set.channels));
  for (size_t i = 0; i < set.pixels.size(); ++i) ++histograms[i / plane % histograms.size()][set.pixels[i]];

  const double n = static_cast<double>(set.count() * plane);
  Normalization result;
  for (const std::array<uint64_t, 256>& histogram : histograms) {
    double mean = 0, variance = 0;
    for (size_t p = 0; p < 256; ++p) mean += static_cast<double>(histogram[p]) * (static_cast<double>(p) / 255.0) / n;
    for (size_t p = 0; p < 256; ++p) {
      const double distance = static_cast<double>(p) / 255.0 - mean;
      variance += static_cast<double>(histogram[p]) * distance * distance / n;
    }
    result.mean.push_back(static_cast<float>(mean));
    result.std.push_back(static_cast<float>(std::sqrt(variance)));
  }
  return result;
}

PixelTables pixel_tables(const Normalization& n) {
  if (n.mean.size() != n.std.size()) {
    throw OptionError(fmt::format("normalization has {} means and {} stds; wanted one of each per channel",
                                  n.mean.size(), n.std.size()));
  }
  std::vector<std::array<float, 256>> tables(n.mean.size());
  for (size_t c = 0; c < tables.size(); ++c) {
    if (!(n.std[c] > 0)) {
      throw OptionError(fmt::format("normalization std of channel {} is {}; wanted above 0", c, n.std[c]));
    }
    for (int p = 0; p < 256; ++p) {
      tables[c][static_cast<size_t>(p)] = static_cast<float>((p / 255.0 - n.mean[c]) / n.std[c]);
    }
  }
  return tables;
}

}  // namespace signstep
