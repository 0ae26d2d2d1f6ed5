// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/loader.h"

#include <algorithm>
#include <numeric>

#include "signstep/data/catalog.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;

const ImageSet& images() {
  static const ImageSet set = fixture_images(3, 32, 10, 103, 1);
  return set;
}

const Normalization kNormalization = find_dataset("cifar10").normalization;

std::vector<uint32_t> all_indices() {
  std::vector<uint32_t> indices(images().count());
  std::iota(indices.begin(), indices.end(), 0u);
  return indices;
}

LoaderOptions training_options() {
  return {.batch = 10, .seed = 5, .shuffle = true, .augment = {.crop = true, .flip = true, .cutout = 9}};
}

std::vector<Batch> epoch_of(Loader& loader, uint64_t epoch, size_t first_batch = 0) {
  std::vector<Batch> batches;
  Batch batch;
  for (loader.start_epoch(epoch, first_batch); loader.next(batch);) batches.push_back(batch);
  EXPECT_FALSE(loader.next(batch));
  return batches;
}

std::vector<Batch> epoch_of(const LoaderOptions& options, uint64_t epoch, size_t first_batch = 0) {
  Loader loader(images(), all_indices(), kNormalization, options);
  return epoch_of(loader, epoch, first_batch);
}

void expect_same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].count, b[i].count);
    EXPECT_EQ(a[i].labels, b[i].labels) << "batch " << i;
    EXPECT_EQ(a[i].images, b[i].images) << "batch " << i;
  }
}

// The index of every image given, found by its unaugmented pixels.
std::vector<uint32_t> indices_of(const std::vector<Batch>& batches) {
  const auto tables = pixel_tables(kNormalization);
  std::vector<std::vector<float>> known(images().count(), std::vector<float>(3072));
  for (uint32_t i = 0; i < known.size(); ++i) render(images(), i, tables, {}, known[i].data());
  std::vector<uint32_t> indices;
  for (const Batch& batch : batches) {
    for (size_t i = 0; i < batch.count; ++i) {
      const auto begin = batch.images.begin() + static_cast<std::ptrdiff_t>(i * 3072);
      const auto found = std::find(known.begin(), known.end(), std::vector<float>(begin, begin + 3072));
      indices.push_back(static_cast<uint32_t>(found - known.begin()));
      if (found == known.end()) return {};
      EXPECT_EQ(batch.labels[i], images().labels[indices.back()]);
    }
  }
  return indices;
}

TEST(Loader, EveryIndexOncePerEpoch) {
  LoaderOptions options{.batch = 10, .seed = 5, .shuffle = true};
  Loader loader(images(), all_indices(), kNormalization, options);
  EXPECT_EQ(loader.batches_per_epoch(), 11u);
  EXPECT_EQ(loader.samples_per_epoch(), 103u);
  const std::vector<uint32_t> first = indices_of(epoch_of(loader, 0)), second = indices_of(epoch_of(loader, 1));
  EXPECT_NE(first, second);
  for (std::vector<uint32_t> order : {first, second}) {
    EXPECT_NE(order, all_indices());
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, all_indices());
  }
  EXPECT_EQ(indices_of(epoch_of(loader, 0)), first);

  options.shuffle = false;
  EXPECT_EQ(indices_of(epoch_of(options, 3)), all_indices());
}

// The order written out from the generator alone.
TEST(Loader, OrderAndImagesMatchANaiveEpoch) {
  const LoaderOptions options = training_options();
  std::vector<uint32_t> order = all_indices();
  SequentialRandom random(Stream(options.seed, Purpose::kShuffle, 2));
  for (uint32_t i = 0; i + 1 < order.size(); ++i) {
    std::swap(order[i], order[i + random.below(static_cast<uint32_t>(order.size()) - i)]);
  }
  const auto tables = pixel_tables(kNormalization);
  std::vector<float> wanted(3072);
  size_t at = 0;
  for (const Batch& batch : epoch_of(options, 2)) {
    EXPECT_EQ(batch.count, std::min<size_t>(10, order.size() - at));
    EXPECT_EQ(batch.height, 32);
    EXPECT_EQ(batch.width, 32);
    EXPECT_EQ(batch.channels, 3);
    for (size_t i = 0; i < batch.count; ++i, ++at) {
      render(images(), order[at], tables, draw_window(options.augment, options.seed, 2, order[at]), wanted.data());
      EXPECT_TRUE(
          std::equal(wanted.begin(), wanted.end(), batch.images.begin() + static_cast<std::ptrdiff_t>(i * 3072)));
      EXPECT_EQ(batch.labels[i], images().labels[order[at]]);
    }
  }
  EXPECT_EQ(at, order.size());
}

TEST(Loader, ThreadsAndPrefetchChangeNothing) {
  const std::vector<Batch> wanted = epoch_of(training_options(), 7);
  for (const size_t threads : {1, 2, 3, 8}) {
    for (const size_t prefetch : {1, 4, 100}) {
      LoaderOptions options = training_options();
      options.threads = threads;
      options.prefetch = prefetch;
      expect_same(epoch_of(options, 7), wanted);
    }
  }
}

TEST(Loader, ResumesWithinAnEpoch) {
  const std::vector<Batch> whole = epoch_of(training_options(), 4);
  for (size_t first : {0, 1, 5, 10, 11}) {
    expect_same(epoch_of(training_options(), 4, first),
                {whole.begin() + static_cast<std::ptrdiff_t>(first), whole.end()});
  }
}

TEST(Loader, StartsAnewAtAnyMoment) {
  LoaderOptions options = training_options();
  options.threads = 3;
  Loader loader(images(), all_indices(), kNormalization, options);
  Batch batch;
  EXPECT_FALSE(loader.next(batch));
  for (size_t taken = 0; taken < 12; ++taken) {
    loader.start_epoch(9);
    for (size_t i = 0; i < taken; ++i) loader.next(batch);
  }
  expect_same(epoch_of(loader, 7), epoch_of(training_options(), 7));
}

TEST(Loader, ShutsDownAtAnyMoment) {
  for (size_t round = 0; round < 200; ++round) {
    LoaderOptions options = training_options();
    options.threads = 1 + round % 3;
    Loader loader(images(), all_indices(), kNormalization, options);
    if (round % 10 == 0) continue;
    Batch batch;
    loader.start_epoch(round);
    for (size_t i = 0; i < round % 13; ++i) loader.next(batch);
  }
}

TEST(Loader, DropsALastBatchThatIsNotFull) {
  LoaderOptions options = training_options();
  options.drop_last = true;
  Loader loader(images(), all_indices(), kNormalization, options);
  EXPECT_EQ(loader.batches_per_epoch(), 10u);
  EXPECT_EQ(loader.samples_per_epoch(), 100u);
  std::vector<Batch> wanted = epoch_of(training_options(), 7);
  EXPECT_EQ(wanted.back().count, 3u);
  EXPECT_EQ(wanted.back().images.size(), 3u * 3072);
  wanted.pop_back();
  expect_same(epoch_of(loader, 7), wanted);
}

TEST(Loader, SwapsBuffersInsteadOfAllocating) {
  LoaderOptions options = training_options();
  options.prefetch = 2;
  Loader loader(images(), all_indices(), kNormalization, options);
  std::vector<const float*> buffers;
  Batch batch;
  for (uint64_t epoch = 0; epoch < 4; ++epoch) {
    for (loader.start_epoch(epoch); loader.next(batch);) {
      if (batch.count == options.batch) buffers.push_back(batch.images.data());
    }
  }
  // The caller's empty one grows once; then three buffers go round.
  std::sort(buffers.begin(), buffers.end());
  EXPECT_LE(std::unique(buffers.begin(), buffers.end()) - buffers.begin(), 3);
}

TEST(Loader, AnErrorInTheBackgroundReachesTheCaller) {
  ImageSet set = images();
  LoaderOptions options = training_options();
  options.threads = 2;
  options.shuffle = false;
  Loader loader(set, all_indices(), kNormalization, options);
  set.pixels.resize(35 * set.image_size());  // against the rule, while no epoch runs
  Batch batch;
  loader.start_epoch(0);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(loader.next(batch));
  EXPECT_THAT(message_of<DataError>([&] { loader.next(batch); }), HasSubstr("image 35"));
  EXPECT_FALSE(loader.next(batch));
  set = images();
  expect_same(epoch_of(loader, 1), epoch_of(options, 1));
}

TEST(Loader, RefusesImpossibleOptions) {
  const auto error = [](LoaderOptions options) {
    return message_of<OptionError>([&] { Loader(images(), all_indices(), kNormalization, options); });
  };
  EXPECT_THAT(error({.batch = 104}), AllOf(HasSubstr("batch 104"), HasSubstr("103 images")));
  EXPECT_THAT(error({.batch = 0}), HasSubstr("batch 0"));
  EXPECT_THAT(error({.batch = 1, .threads = 0}), HasSubstr("threads 0"));
  EXPECT_THAT(error({.batch = 1, .prefetch = 0}), HasSubstr("prefetch 0"));
  EXPECT_THROW(Loader(images(), {}, kNormalization, {}), OptionError);
  EXPECT_THROW(Loader(images(), {0, 103}, kNormalization, {.batch = 1}), DataError);
  EXPECT_THROW(Loader(images(), {0}, find_dataset("mnist").normalization, {.batch = 1}), OptionError);
  Loader loader(images(), all_indices(), kNormalization, {.batch = 10});
  EXPECT_THAT(message_of<OptionError>([&] { loader.start_epoch(0, 12); }), HasSubstr("at batch 12"));
  EXPECT_THROW(loader.start_epoch(uint64_t{1} << 48), OptionError);
}

}  // namespace
}  // namespace signstep
