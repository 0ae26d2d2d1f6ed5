// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/augment.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "signstep/data/catalog.h"
#include "signstep/data/normalize.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

using Plane = std::vector<std::vector<int>>;

Plane pad(const Plane& plane, size_t by) {
  Plane padded(plane.size() + 2 * by, std::vector<int>(plane[0].size() + 2 * by, 0));
  for (size_t y = 0; y < plane.size(); ++y) std::copy(plane[y].begin(), plane[y].end(), padded[y + by].begin() + by);
  return padded;
}

// torchvision's order of work on whole planes: pad 28 to 32, pad by 4, crop, flip; then normalise.
std::vector<float> naive(const ImageSet& set, uint32_t image, const Normalization& n, const Window& window) {
  const size_t in = static_cast<size_t>(set.height), side = 32, channels = static_cast<size_t>(set.channels);
  std::vector<float> out(side * side * channels);
  for (size_t c = 0; c < channels; ++c) {
    Plane plane(in, std::vector<int>(in));
    for (size_t y = 0; y < in; ++y) {
      for (size_t x = 0; x < in; ++x) plane[y][x] = set.pixels[((image * channels + c) * in + y) * in + x];
    }
    plane = pad(pad(plane, (side - in) / 2), 4);
    for (size_t y = 0; y < side; ++y) {
      auto row = plane[y + static_cast<size_t>(4 + window.dy)];
      row.erase(row.begin(), row.begin() + 4 + window.dx);
      row.resize(side);
      if (window.flip) std::reverse(row.begin(), row.end());
      for (size_t x = 0; x < side; ++x) {
        out[(y * side + x) * channels + c] = static_cast<float>((row[x] / 255.0 - n.mean[c]) / n.std[c]);
      }
    }
  }
  return out;
}

TEST(Augment, EveryWindowMatchesTheNaiveWay) {
  for (const std::string name : {"cifar10", "fashion-mnist"}) {
    const bool cifar = name == "cifar10";
    const ImageSet set = fixture_images(cifar ? 3 : 1, cifar ? 32 : 28, 10, 3, 1);
    const Normalization n = find_dataset(name).normalization;
    const auto tables = pixel_tables(n);
    std::vector<float> out(32 * 32 * static_cast<size_t>(set.channels));
    for (int dy = -4; dy <= 4; ++dy) {
      for (int dx = -4; dx <= 4; ++dx) {
        for (const bool flip : {false, true}) {
          const Window window{dy, dx, flip};
          render(set, 2, tables, window, out.data());
          ASSERT_EQ(out, naive(set, 2, n, window)) << dy << " " << dx << " " << flip;
        }
      }
    }
  }
}

TEST(Augment, WindowsCoverWhatTheOptionsAllow) {
  for (const bool crop : {false, true}) {
    for (const bool flip : {false, true}) {
      std::set<std::pair<int, int>> offsets;
      int flips = 0;
      for (uint32_t image = 0; image < 4000; ++image) {
        const Window window = draw_window({.crop = crop, .flip = flip}, 1, 2, image);
        offsets.emplace(window.dy, window.dx);
        flips += window.flip;
        ASSERT_LE(std::max(std::abs(window.dy), std::abs(window.dx)), 4);
      }
      EXPECT_EQ(offsets.size(), crop ? 81u : 1u);
      EXPECT_EQ(offsets.count({0, 0}), 1u);
      EXPECT_NEAR(flips, flip ? 2000 : 0, flip ? 120 : 0);
    }
  }
}

// From Philox by hand, so that a change of the counter layout cannot pass.
TEST(Augment, WindowIsAFunctionOfSeedEpochAndImage) {
  for (uint32_t image : {0u, 1u, 49999u}) {
    for (uint32_t epoch : {0u, 7u}) {
      const PhiloxCounter words = philox4x32({image, epoch, 7, 0}, {42, 0});
      const Window window = draw_window({.crop = true, .flip = true}, 42, epoch, image);
      EXPECT_EQ(window.dy, static_cast<int>(words[0] / 4294967296.0 * 9) - 4);
      EXPECT_EQ(window.dx, static_cast<int>(words[1] / 4294967296.0 * 9) - 4);
      EXPECT_EQ(window.flip, words[2] >= 0x80000000u);
    }
  }
}

// From Philox by hand; and crop and flip are the ones without cutout.
TEST(Augment, CutoutHasDrawsOfItsOwn) {
  const AugmentOptions plain{.crop = true, .flip = true};
  for (const int64_t side : {1, 7, 12}) {
    for (uint32_t image = 0; image < 100; ++image) {
      const Window window = draw_window({.crop = true, .flip = true, .cutout = side}, 42, 7, image);
      const PhiloxCounter words = philox4x32({image, 7, 13, 0}, {42, 0});
      EXPECT_EQ(window.cutout, side);
      EXPECT_EQ(window.cutout_top, static_cast<int>(words[0] >> 27) - side / 2);
      EXPECT_EQ(window.cutout_left, static_cast<int>(words[1] >> 27) - side / 2);
      const Window without = draw_window(plain, 42, 7, image);
      EXPECT_EQ(std::tie(window.dy, window.dx, window.flip), std::tie(without.dy, without.dx, without.flip));
      EXPECT_EQ(without.cutout, 0);
    }
  }
}

// Zeros on the square and nowhere else, whether inside, over an edge, over a corner, outside or over everything.
TEST(Augment, CutoutZeroesTheClippedSquare) {
  for (const std::string name : {"cifar10", "fashion-mnist"}) {
    const bool cifar = name == "cifar10";
    const ImageSet set = fixture_images(cifar ? 3 : 1, cifar ? 32 : 28, 10, 3, 1);
    const auto tables = pixel_tables(find_dataset(name).normalization);
    const size_t channels = static_cast<size_t>(set.channels);
    std::vector<float> whole(32 * 32 * channels), out(whole.size());
    for (const int side : {0, 1, 12, 64}) {
      for (const auto& [top, left] : {std::pair{4, 9}, {-5, 30}, {31, -6}, {-6, -6}, {26, 26}, {-64, 0}, {-20, -20}}) {
        Window window{1, -2, true};
        render(set, 1, tables, window, whole.data());
        window.cutout = side;
        window.cutout_top = top;
        window.cutout_left = left;
        render(set, 1, tables, window, out.data());
        for (int y = 0; y < 32; ++y)
          for (int x = 0; x < 32; ++x)
            for (size_t c = 0; c < channels; ++c) {
              const size_t at = (static_cast<size_t>(y * 32 + x)) * channels + c;
              const bool cut = y >= top && y < top + side && x >= left && x < left + side;
              ASSERT_EQ(out[at], cut ? 0.0f : whole[at]) << side << ": " << top << " " << left << ", " << y << " " << x;
            }
      }
    }
  }
}

TEST(Augment, RefusesAnImageBeyondTheSet) {
  const ImageSet set = fixture_images(1, 28, 10, 3, 1);
  std::vector<float> out(32 * 32);
  EXPECT_THROW(render(set, 3, pixel_tables(find_dataset("mnist").normalization), {}, out.data()), DataError);
}

}  // namespace
}  // namespace signstep
