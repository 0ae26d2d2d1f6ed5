// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/geometry.h"

#include <algorithm>

namespace signstep::amx {
namespace {

// Calls f(output pixel, input pixel, tap) for every pair that meets.
template <class F>
void for_each_pair(const Geometry& g, F&& f) {
  const int64_t padding = g.kernel / 2;
  for (int64_t oy = 0; oy < g.out_height(); ++oy)
    for (int64_t ox = 0; ox < g.out_width(); ++ox)
      for (int64_t tap = 0; tap < g.taps(); ++tap) {
        const int64_t y = oy * g.stride + tap / g.kernel - padding, x = ox * g.stride + tap % g.kernel - padding;
        if (y < 0 || y >= g.height || x < 0 || x >= g.width) continue;
        f(static_cast<int32_t>(oy * g.out_width() + ox), static_cast<int32_t>(y * g.width + x),
          static_cast<int32_t>(tap));
      }
}

}  // namespace

Terms::Terms(const std::vector<std::vector<Term>>& lists, const Geometry& g, bool reversed)
    : slides_(g.kernel == 3 && g.stride == 1),
      reversed_(reversed),
      height_(reversed ? g.height : g.out_height()),
      width_(reversed ? g.width : g.out_width()) {
  first_.push_back(0);
  for (const auto& list : lists) {
    terms_.insert(terms_.end(), list.begin(), list.end());
    first_.push_back(terms_.size());
  }
}

std::span<const Term> Terms::of(int64_t pixel) const {
  const auto p = static_cast<size_t>(pixel);
  return std::span(terms_).subspan(first_[p], first_[p + 1] - first_[p]);
}

Terms Terms::forward(const Geometry& g) {
  std::vector<std::vector<Term>> lists(static_cast<size_t>(g.out_pixels()));
  for_each_pair(g, [&](int32_t output, int32_t input, int32_t tap) {
    lists[static_cast<size_t>(output)].push_back({input, tap});
  });
  return Terms(lists, g, false);
}

Terms Terms::backward(const Geometry& g) {
  std::vector<std::vector<Term>> lists(static_cast<size_t>(g.pixels()));
  for_each_pair(g, [&](int32_t output, int32_t input, int32_t tap) {
    lists[static_cast<size_t>(input)].push_back({output, tap});
  });
  return Terms(lists, g, true);
}

Bands::Bands(const Geometry& g) {
  constexpr int64_t kPixels = 128;
  // A larger stride needs more input for the same output.
  const int64_t rows = std::clamp<int64_t>(kPixels / g.stride / g.out_width(), 1, g.out_height());
  const int64_t outputs = rows * g.out_width();
  joined_ = std::max<int64_t>(1, kPixels / g.out_pixels());
  bands_.resize(static_cast<size_t>((g.out_height() + rows - 1) / rows));
  for (Band& band : bands_) band.taps.resize(static_cast<size_t>(g.taps()));
  const auto band_of = [&](int64_t output) -> Band& { return bands_[static_cast<size_t>(output / outputs)]; };
  for (int64_t p = 0; p < g.out_pixels(); ++p) band_of(p).outputs.push_back(static_cast<int32_t>(p));
  for_each_pair(g, [&](int32_t output, int32_t input, int32_t) { band_of(output).inputs.push_back(input); });
  for (Band& band : bands_) {
    std::sort(band.inputs.begin(), band.inputs.end());
    band.inputs.erase(std::unique(band.inputs.begin(), band.inputs.end()), band.inputs.end());
  }
  for_each_pair(g, [&](int32_t output, int32_t input, int32_t tap) {
    Band& band = band_of(output);
    const auto place = std::lower_bound(band.inputs.begin(), band.inputs.end(), input) - band.inputs.begin();
    band.taps[static_cast<size_t>(tap)].push_back({output - band.outputs.front(), static_cast<int32_t>(place)});
  });
}

Bands::Piece Bands::piece(int64_t index, int64_t groups) const {
  const int64_t first = index / std::ssize(bands_) * joined_;
  return {&bands_[static_cast<size_t>(index % std::ssize(bands_))], first, std::min(joined_, groups - first)};
}

size_t Bands::largest() const {
  size_t pixels = 0;
  for (const Band& band : bands_) pixels = std::max(pixels, band.outputs.size() + band.inputs.size());
  return pixels * static_cast<size_t>(joined_);
}

}  // namespace signstep::amx
