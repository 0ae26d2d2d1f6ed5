// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/loader.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "signstep/base/error.h"
#include "signstep/data/shuffle.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

void check(const ImageSet& set, const std::vector<uint32_t>& indices, size_t channels, const LoaderOptions& options) {
  if (options.batch == 0 || options.threads == 0 || options.prefetch == 0) {
    throw OptionError(fmt::format("loader has batch {}, threads {}, prefetch {}; wanted 1 or more of each",
                                  options.batch, options.threads, options.prefetch));
  }
  require_full_batch(options.batch, indices.size());
  require_equal_shares(options.batch, options.ranks);
  if (channels != static_cast<size_t>(set.channels)) {
    throw OptionError(fmt::format("normalization has {} channels, the images {}; take that of the same data set",
                                  channels, set.channels));
  }
  if (set.pixels.size() != set.count() * set.image_size()) {
    throw DataError(fmt::format("image set has {} pixels; wanted {} images of {}; load it again", set.pixels.size(),
                                set.count(), set.image_size()));
  }
  const uint32_t largest = *std::max_element(indices.begin(), indices.end());
  if (largest >= set.count()) {
    throw DataError(fmt::format("index {} is outside a set of {} images; make the split anew", largest, set.count()));
  }
}

}  // namespace

Loader::Loader(const ImageSet& set, std::vector<uint32_t> indices, const Normalization& normalization,
               LoaderOptions options)
    : set_(set),
      indices_(std::move(indices)),
      tables_(std::make_shared<const PixelTables>(pixel_tables(normalization))),
      options_(options) {
  check(set_, indices_, tables_->size(), options_);
  slots_.resize(std::min(options_.prefetch, batches_per_epoch()));
  try {
    for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    stop_threads();
    throw EnvironmentError(fmt::format("cannot start thread {} of {} of the loader: {}; use fewer threads",
                                       threads_.size() + 1, options_.threads, error.what()));
  }
}

Loader::~Loader() { stop_threads(); }

void Loader::stop_threads() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Loader::stop_building(std::unique_lock<std::mutex>& lock) {
  end_ = next_build_;
  idle_.wait(lock, [this] { return building_ == 0; });
}

void Loader::start_epoch(uint64_t epoch, size_t first_batch) {
  if (first_batch > batches_per_epoch()) {
    throw OptionError(fmt::format("cannot start an epoch of {} batches at batch {}; was the batch size changed?",
                                  batches_per_epoch(), first_batch));
  }
  const Stream stream(options_.seed, Purpose::kShuffle, epoch);  // may throw, so before anything changes
  std::unique_lock lock(mutex_);
  stop_building(lock);
  order_ = indices_;
  if (options_.shuffle) shuffle(order_, stream);
  epoch_ = epoch;
  for (Slot& slot : slots_) {
    slot.ready = false;
    slot.error = nullptr;
  }
  next_build_ = next_give_ = first_batch;
  end_ = batches_per_epoch();
  lock.unlock();
  room_.notify_all();
}

void Loader::leave_raw(bool raw) {
  std::unique_lock lock(mutex_);
  stop_building(lock);
  next_give_ = end_;
  raw_ = raw;
}

bool Loader::next(Batch& batch) {
  std::unique_lock lock(mutex_);
  if (next_give_ == end_) return false;
  Slot& slot = slots_[next_give_ % slots_.size()];
  ready_.wait(lock, [&] { return slot.ready; });
  if (slot.error) {
    stop_building(lock);
    next_give_ = end_;
    std::rethrow_exception(slot.error);
  }
  std::swap(batch, slot.batch);
  slot.ready = false;
  ++next_give_;
  lock.unlock();
  room_.notify_one();
  return true;
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(lock, [this] { return stopping_ || (next_build_ < end_ && next_build_ < next_give_ + slots_.size()); });
    if (stopping_) return;
    const size_t number = next_build_++;
    Slot& slot = slots_[number % slots_.size()];
    ++building_;
    lock.unlock();
    try {
      build(number, slot.batch);
    } catch (...) {
      slot.error = std::current_exception();
    }
    lock.lock();
    slot.ready = true;
    if (--building_ == 0) idle_.notify_one();
    ready_.notify_one();
  }
}

void Loader::build(size_t number, Batch& batch) const {
  const size_t whole = number * options_.batch;
  batch.count = std::min(options_.batch, samples_per_epoch() - whole) / options_.ranks;
  const size_t begin = whole + options_.rank * batch.count;
  batch.height = framed_side(set_.height);
  batch.width = framed_side(set_.width);
  batch.channels = set_.channels;
  const std::span<const uint32_t> images = std::span(order_).subspan(begin, batch.count);
  batch.raw.windows.clear();
  for (const uint32_t image : images)
    batch.raw.windows.push_back(draw_window(options_.augment, options_.seed, epoch_, image, batch.height));
  batch.labels.resize(batch.count);
  std::transform(images.begin(), images.end(), batch.labels.begin(),
                 [&](uint32_t image) { return set_.labels[image]; });
  if (raw_) return leave(images, batch);
  const size_t image_size = static_cast<size_t>(batch.height) * batch.width * batch.channels;
  batch.images.resize(batch.count * image_size);
  for (size_t i = 0; i < batch.count; ++i)
    render(set_, images[i], *tables_, batch.raw.windows[i], batch.images.data() + i * image_size);
  batch.raw.windows.clear();
}

void Loader::leave(std::span<const uint32_t> images, Batch& batch) const {
  const size_t image_size = set_.image_size();
  batch.images.clear();
  batch.raw.height = set_.height;
  batch.raw.width = set_.width;
  batch.raw.tables = tables_;
  batch.raw.pixels.resize(images.size() * image_size);
  for (size_t i = 0; i < images.size(); ++i)
    std::copy_n(set_.pixels.begin() + static_cast<std::ptrdiff_t>(images[i] * image_size), image_size,
                batch.raw.pixels.begin() + static_cast<std::ptrdiff_t>(i * image_size));
}

}  // namespace signstep
