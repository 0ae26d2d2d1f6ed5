// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/picture.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "signstep/base/error.h"
#include "signstep/data/picture_formats.h"
#include "signstep/data/read_file.h"

namespace signstep {
namespace {

bool begins_with(std::span<const uint8_t> bytes, std::string_view wanted) {
  return bytes.size() >= wanted.size() &&
         std::equal(wanted.begin(), wanted.end(), bytes.begin(), [](char a, uint8_t b) { return a == char(b); });
}

// Which pixels of a line a new pixel is made of, and by how much.
struct Weights {
  int first = 0;
  std::vector<double> of;  // their sum is 1
};

// size new pixels in the place of those from begin to begin + length.
std::vector<Weights> weights(double begin, double length, int old_size, int size) {
  const double scale = length / size, reach = std::max(scale, 1.0);
  std::vector<Weights> all(static_cast<size_t>(size));
  for (int i = 0; i < size; ++i) {
    Weights& w = all[static_cast<size_t>(i)];
    const double centre = begin + (i + 0.5) * scale;
    w.first = std::max(0, static_cast<int>(std::floor(centre - reach)));
    const int end = std::min(old_size, static_cast<int>(std::ceil(centre + reach)));
    double sum = 0;
    for (int x = w.first; x < end; ++x) {
      w.of.push_back(std::max(0.0, 1 - std::abs(x + 0.5 - centre) / reach));
      sum += w.of.back();
    }
    for (double& v : w.of) v /= sum;
  }
  return all;
}

}  // namespace

void require_picture_size(uint64_t width, uint64_t height, const std::string& path) {
  const bool sides = width > 0 && height > 0 && width <= kLongestSide && height <= kLongestSide;
  if (sides && width * height <= kMostPixels) return;
  throw DataError(fmt::format("{} has {} x {} pixels; wanted sides of 1 to {} and at most {} in all; make it smaller",
                              path, width, height, kLongestSide, kMostPixels));
}

std::string picture_formats() {
  if (can_read_png() && can_read_jpeg()) return "PNG and JPEG";
  if (can_read_png()) return "PNG (this program was built without libjpeg)";
  if (can_read_jpeg()) return "JPEG (this program was built without libpng)";
  return "no format (this program was built without libpng and libjpeg)";
}

Picture decode_picture(std::span<const uint8_t> bytes, const std::string& path) {
  if (begins_with(bytes, "\x89PNG\r\n\x1a\n")) return decode_png(bytes, path);
  if (begins_with(bytes, "\xff\xd8\xff")) return decode_jpeg(bytes, path);
  throw DataError(fmt::format("{} is no picture that can be read; wanted {}; convert it, or leave it out", path,
                              picture_formats()));
}

Picture read_picture(const std::string& path) { return decode_picture(read_data_file(path), path); }

Picture resized(const Picture& p, int height, int width) {
  if (p.height == height && p.width == width) return p;
  // The largest part of the middle that has the wanted ratio.
  const double scale = std::min(double(p.height) / height, double(p.width) / width);
  const double tall = scale * height, wide = scale * width;
  const auto rows = weights((p.height - tall) / 2, tall, p.height, height);
  const auto columns = weights((p.width - wide) / 2, wide, p.width, width);
  std::vector<double> narrow(static_cast<size_t>(p.height) * static_cast<size_t>(width) * 3);
  for (size_t y = 0, to = 0; y < static_cast<size_t>(p.height); ++y)
    for (const Weights& w : columns)
      for (size_t c = 0; c < 3; ++c, ++to)
        for (size_t i = 0; i < w.of.size(); ++i)
          narrow[to] += w.of[i] * p.rgb[(y * static_cast<size_t>(p.width) + static_cast<size_t>(w.first) + i) * 3 + c];
  Picture out{height, width, {}};
  const size_t line = static_cast<size_t>(width) * 3;
  for (const Weights& w : rows) {
    for (size_t x = 0; x < line; ++x) {
      double sum = 0;
      for (size_t i = 0; i < w.of.size(); ++i) sum += w.of[i] * narrow[(static_cast<size_t>(w.first) + i) * line + x];
      out.rgb.push_back(static_cast<uint8_t>(std::clamp(std::floor(sum + 0.5), 0.0, 255.0)));
    }
  }
  return out;
}

std::vector<uint8_t> planes(const Picture& p, int channels) {
  const size_t pixels = p.rgb.size() / 3;
  std::vector<uint8_t> out(pixels * static_cast<size_t>(channels));
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* rgb = p.rgb.data() + 3 * i;
    if (channels == 1) {
      out[i] = static_cast<uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
    } else {
      for (size_t c = 0; c < 3; ++c) out[c * pixels + i] = rgb[c];
    }
  }
  return out;
}

}  // namespace signstep
