// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/augment.h"

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

constexpr uint32_t kOffsets = 2 * kCropPadding + 1;

int below(uint32_t word, uint32_t bound) { return static_cast<int>(uint64_t{word} * bound >> 32); }

int offset(uint32_t word) { return below(word, kOffsets) - kCropPadding; }

void cut_out(const Window& window, int height, int width, int channels, float* out) {
  const int top = std::max(window.cutout_top, 0), bottom = std::min(window.cutout_top + window.cutout, height);
  const int left = std::max(window.cutout_left, 0), right = std::min(window.cutout_left + window.cutout, width);
  if (left >= right) return;
  for (int y = top; y < bottom; ++y) {
    float* line = out + static_cast<std::ptrdiff_t>(y) * width * channels;
    std::fill(line + left * channels, line + right * channels, 0.0f);
  }
}

}  // namespace

Window draw_window(const AugmentOptions& options, uint64_t seed, uint64_t epoch, uint32_t image, int side) {
  const PhiloxCounter words = Stream(seed, Purpose::kAugment, epoch).group(image);
  Window window;
  if (options.crop) window = {.dy = offset(words[0]), .dx = offset(words[1])};
  window.flip = options.flip && words[2] >> 31 != 0;
  if (options.cutout > 0) {
    const PhiloxCounter centre = Stream(seed, Purpose::kCutout, epoch).group(image);
    window.cutout = static_cast<int>(options.cutout);
    window.cutout_top = below(centre[0], static_cast<uint32_t>(side)) - window.cutout / 2;
    window.cutout_left = below(centre[1], static_cast<uint32_t>(side)) - window.cutout / 2;
  }
  return window;
}

void render(const ImageSet& set, uint32_t image, const std::vector<std::array<float, 256>>& tables,
            const Window& window, float* out) {
  const size_t begin = image * set.image_size();
  if (image >= set.count() || begin + set.image_size() > set.pixels.size()) {
    throw DataError(
        fmt::format("image {} is not among the {} of the set; wanted an index into it", image, set.count()));
  }
  const int height = framed_side(set.height), width = framed_side(set.width), channels = set.channels;
  const int y_shift = window.dy - (height - set.height) / 2, x_shift = window.dx - (width - set.width) / 2;
  // Columns [left, right) of the window lie inside the image.
  const int left = std::clamp(-x_shift, 0, width), right = std::clamp(set.width - x_shift, left, width);
  const std::ptrdiff_t step = window.flip ? -channels : channels;

  for (int y = 0; y < height; ++y) {
    const int source_y = y + y_shift;
    const bool inside = source_y >= 0 && source_y < set.height;
    float* line = out + static_cast<std::ptrdiff_t>(y) * width * channels;
    if (window.flip) line += (width - 1) * channels;
    for (int c = 0; c < channels; ++c) {
      const std::array<float, 256>& table = tables[static_cast<size_t>(c)];
      const float padding = table[0];
      const auto at = [&](int x) -> float& { return line[c + x * step]; };
      if (!inside) {
        for (int x = 0; x < width; ++x) at(x) = padding;
        continue;
      }
      const uint8_t* source = set.pixels.data() + begin + (static_cast<size_t>(c) * set.height + source_y) * set.width;
      for (int x = 0; x < left; ++x) at(x) = padding;
      for (int x = left; x < right; ++x) at(x) = table[source[x + x_shift]];
      for (int x = right; x < width; ++x) at(x) = padding;
    }
  }
  cut_out(window, height, width, channels, out);
}

}  // namespace signstep
