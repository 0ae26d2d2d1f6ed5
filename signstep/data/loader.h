// SPDX-License-Identifier: Apache-2.0
// Batches of normalised, augmented images, built ahead on background threads.
//
//   Loader loader(dataset.train, split.train, normalization(dataset.kind), {.batch = 128, .seed = 1, .shuffle = true});
//   Batch batch;
//   for (loader.start_epoch(epoch); loader.next(batch);) train(batch);
//
// A batch is a function of (seed, epoch, its number) and the data alone: threads and prefetch change nothing but speed.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "signstep/data/augment.h"
#include "signstep/data/batch.h"
#include "signstep/data/epoch_size.h"
#include "signstep/data/image_set.h"
#include "signstep/data/normalize.h"

namespace signstep {

struct LoaderOptions {
  size_t batch = 128;    // images, of all ranks together
  uint64_t seed = 0;     // of the order and the augmentation
  bool shuffle = false;  // anew each epoch; else in the order of the indices
  AugmentOptions augment = {};
  bool drop_last = false;  // leave out a last batch that is not full
  size_t threads = 1;      // in the background, 1 or more
  size_t prefetch = 4;     // batches held ahead, 1 or more
  // Of each batch the loader gives this rank's equal share, the images from rank * batch / ranks on. Where an epoch's
  // last batch does not divide, up to ranks - 1 of its images sit the epoch out.
  size_t rank = 0, ranks = 1;
};

// One caller at a time. Memory: prefetch batches and 8 bytes per index.
class Loader {
 public:
  // set must outlive the loader and stay as it is. Throws OptionError for a count of 0, a batch larger than the number
  // of indices or not of equal shares, or another number of channels in normalization; DataError for an index outside
  // the set; EnvironmentError when a thread cannot start.
  Loader(const ImageSet& set, std::vector<uint32_t> indices, const Normalization& normalization, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Drops what was built ahead and starts an epoch (below 2^48), at first_batch when a run resumes within it. Throws
  // OptionError beyond batches_per_epoch().
  void start_epoch(uint64_t epoch, size_t first_batch = 0);

  // Whether batches come as pixels and windows (Batch::raw) in the place of images, for an engine that renders them;
  // not at first. Ends an epoch that is under way.
  void leave_raw(bool raw);

  // The next batch, or false at the epoch's end and before the first epoch. Swaps buffers with the caller: hand the
  // same Batch back and nothing is allocated. Rethrows what a background thread threw; the epoch is over then.
  bool next(Batch& batch);

  size_t batches_per_epoch() const { return epoch().batches; }
  size_t samples_per_epoch() const { return epoch().samples; }

 private:
  EpochSize epoch() const { return epoch_size(indices_.size(), options_.batch, options_.ranks, options_.drop_last); }

  struct Slot {
    Batch batch;
    bool ready = false;
    std::exception_ptr error;
  };

  void work();
  void build(size_t number, Batch& batch) const;
  void leave(std::span<const uint32_t> images, Batch& batch) const;
  void stop_threads();
  void stop_building(std::unique_lock<std::mutex>& lock);

  const ImageSet& set_;
  const std::vector<uint32_t> indices_;
  const std::shared_ptr<const PixelTables> tables_;
  const LoaderOptions options_;

  // Written between epochs only, when no thread builds.
  std::vector<uint32_t> order_;
  uint64_t epoch_ = 0;
  bool raw_ = false;

  std::mutex mutex_;
  std::condition_variable room_, ready_, idle_;
  std::vector<Slot> slots_;  // batch i is in slot i % prefetch; unlocked while its builder writes
  size_t end_ = 0;           // one past the last batch to build
  size_t next_build_ = 0, next_give_ = 0;
  size_t building_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace signstep
