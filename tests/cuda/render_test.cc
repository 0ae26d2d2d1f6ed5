// SPDX-License-Identifier: Apache-2.0
// Images made by the device's kernel are render()'s, bit for bit.
#include "signstep/cuda/render_body.h"

#include <gtest/gtest.h>

#include <cstring>

#include "signstep/data/loader.h"
#include "signstep/random/random.h"
#include "tests/cuda/device_array.h"
#include "tests/support/device_images.h"

namespace signstep {
namespace {

class DeviceRender : public DeviceTest {};

ImageSet random_set(int channels, int height, int width, size_t count) {
  ImageSet set{.channels = channels, .height = height, .width = width, .classes = 10, .pixels = {}, .labels = {}};
  SequentialRandom random(Stream(7, Purpose::kProblem));
  set.pixels.resize(count * set.image_size());
  for (uint8_t& pixel : set.pixels) pixel = static_cast<uint8_t>(random.next() >> 24);
  for (size_t i = 0; i < count; ++i) set.labels.push_back(static_cast<uint8_t>(random.below(10)));
  return set;
}

// Every batch of an epoch, as images and raw.
void expect_same_epoch(const ImageSet& set, const LoaderOptions& options) {
  const auto channels = static_cast<size_t>(set.channels);
  Normalization normalization;
  for (size_t c = 0; c < channels; ++c) {
    normalization.mean.push_back(0.3f + 0.1f * static_cast<float>(c));
    normalization.std.push_back(0.25f);
  }
  std::vector<uint32_t> all(set.count());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
  Loader images(set, all, normalization, options), raw(set, all, normalization, options);
  raw.leave_raw(true);
  images.start_epoch(3);
  raw.start_epoch(3);
  Batch want, got;
  while (images.next(want)) {
    ASSERT_TRUE(raw.next(got));
    ASSERT_FALSE(want.is_raw());
    ASSERT_TRUE(got.is_raw());
    EXPECT_TRUE(got.images.empty());
    EXPECT_EQ(got.labels, want.labels);
    const std::vector<float> there = device_images(got);
    ASSERT_EQ(there.size(), want.images.size());
    ASSERT_EQ(std::memcmp(there.data(), want.images.data(), there.size() * sizeof(float)), 0);
  }
  EXPECT_FALSE(raw.next(got));
}

TEST_F(DeviceRender, EveryBatchHasTheLoadersBits) {
  for (const ImageSet& set : {random_set(3, 32, 32, 50), random_set(1, 28, 28, 50), random_set(3, 20, 36, 50)})
    for (const AugmentOptions& augment : {AugmentOptions{}, AugmentOptions{.crop = true}, AugmentOptions{.flip = true},
                                          AugmentOptions{.crop = true, .flip = true, .cutout = 7},
                                          AugmentOptions{.crop = true, .flip = true, .cutout = kLargestCutout}}) {
      SCOPED_TRACE(fmt::format("{} x {}, crop {}, flip {}, cutout {}", set.height, set.width, augment.crop,
                               augment.flip, augment.cutout));
      expect_same_epoch(set, {.batch = 16, .seed = 5, .shuffle = true, .augment = augment});
    }
}

TEST_F(DeviceRender, ALoaderGoesFromOneToTheOther) {
  const ImageSet set = random_set(1, 28, 28, 9);
  Loader loader(set, {0, 1, 2, 3, 4, 5, 6, 7, 8}, {{0.5f}, {0.5f}}, {.batch = 4, .prefetch = 2});
  Batch batch;
  loader.start_epoch(0);
  ASSERT_TRUE(loader.next(batch));
  const std::vector<float> first = batch.images;
  loader.leave_raw(true);
  EXPECT_FALSE(loader.next(batch));
  loader.start_epoch(0);
  ASSERT_TRUE(loader.next(batch));
  EXPECT_TRUE(batch.is_raw());
  EXPECT_EQ(device_images(batch), first);
  loader.leave_raw(false);
  loader.start_epoch(0);
  ASSERT_TRUE(loader.next(batch));
  EXPECT_FALSE(batch.is_raw());
  EXPECT_EQ(batch.images, first);
}

}  // namespace
}  // namespace signstep
