// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/normalize.h"

#include <cmath>

#include "signstep/base/error.h"

namespace signstep {

Normalization normalization(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kCifar10: return {{.4914f, .4822f, .4465f}, {.2470f, .2435f, .2616f}};
    case DatasetKind::kCifar100: return {{.5071f, .4865f, .4409f}, {.2673f, .2564f, .2762f}};
    case DatasetKind::kFashionMnist: return {{.2860f}, {.3530f}};
    case DatasetKind::kMnist: return {{.1307f}, {.3081f}};
  }
  throw OptionError(fmt::format("no such data set: {}", static_cast<int>(kind)));
}

Normalization measure_normalization(const ImageSet& set) {
  const size_t plane = static_cast<size_t>(set.height) * set.width;
  std::vector<std::array<uint64_t, 256>> histograms(static_cast<size_t>(set.channels));
  for (size_t i = 0; i < set.pixels.size(); ++i) ++histograms[i / plane % histograms.size()][set.pixels[i]];

  const double n = static_cast<double>(set.count() * plane);
  Normalization result;
  for (const std::array<uint64_t, 256>& histogram : histograms) {
    double mean = 0, variance = 0;
    for (size_t p = 0; p < 256; ++p) mean += static_cast<double>(histogram[p]) * (p / 255.0) / n;
    for (size_t p = 0; p < 256; ++p) {
      const double distance = p / 255.0 - mean;
      variance += static_cast<double>(histogram[p]) * distance * distance / n;
    }
    result.mean.push_back(static_cast<float>(mean));
    result.deviation.push_back(static_cast<float>(std::sqrt(variance)));
  }
  return result;
}

std::vector<std::array<float, 256>> pixel_tables(const Normalization& normalization) {
  const auto& [mean, deviation] = normalization;
  if (mean.size() != deviation.size()) {
    throw OptionError(fmt::format("normalization has {} means and {} deviations; wanted one of each per channel",
                                  mean.size(), deviation.size()));
  }
  std::vector<std::array<float, 256>> tables(mean.size());
  for (size_t c = 0; c < mean.size(); ++c) {
    if (!(deviation[c] > 0)) {
      throw OptionError(fmt::format("normalization deviation of channel {} is {}; wanted above 0", c, deviation[c]));
    }
    for (int p = 0; p < 256; ++p) {
      tables[c][static_cast<size_t>(p)] = static_cast<float>((p / 255.0 - mean[c]) / deviation[c]);
    }
  }
  return tables;
}

}  // namespace signstep
