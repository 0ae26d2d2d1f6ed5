// SPDX-License-Identifier: Apache-2.0
// What all layers of one engine share: the kernels, who runs their tasks, and on what memory.
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "signstep/engines/amx/kernels.h"
#include "signstep/parallel/executor.h"

namespace signstep::amx {

// Pieces of memory lent to tasks, as many as there are threads: a warm piece goes from task to task.
class Scratch {
 public:
  void resize(size_t pieces, size_t bytes);  // does nothing where they are large enough

  class Loan {
   public:
    explicit Loan(Scratch& from);
    ~Loan();
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    std::byte* get() const { return piece_; }

   private:
    Scratch& from_;
    std::byte* piece_;
  };

 private:
  std::mutex mutex_;
  std::vector<Arena> pieces_;
  std::vector<std::byte*> free_;
  size_t bytes_ = 0;
};

struct Context {
  const Kernels& kernels;
  Executor& executor;
  std::span<float> values, gradients, buffers;  // the seam's flat buffers
  int64_t images = 0;                           // of the batch under way
  std::vector<float> sums = {}, partial = {};   // what tasks leave for each other
  Scratch scratch = {};

  // task(group, row of pixels) for all of t.
  template <class F>
  void for_each_row(const Tiles& t, int64_t width, F&& task) {
    const int64_t rows = t.pixels / width;
    executor.run(static_cast<size_t>(t.groups * rows),
                 [&](size_t i) { task(static_cast<int64_t>(i) / rows, static_cast<int64_t>(i) % rows); });
  }
  // task(part) for all of t, a convolution's result with that many weights.
  template <class F>
  void for_each_part(const Tiles& t, int64_t width, int64_t weights, F&& task) {
    constexpr int64_t kManyWeights = 1 << 19;  // half of the second-level cache in bf16
    const int64_t height = t.pixels / width;
    const bool many = weights >= kManyWeights;
    const int64_t rows = many ? height : 1, blocks = many ? (t.blocks + 3) / 4 : t.blocks;
    const int64_t across = (t.blocks + blocks - 1) / blocks, down = height / rows;
    executor.run(static_cast<size_t>(t.groups * down * across), [&](size_t index) {
      const auto i = static_cast<int64_t>(index);
      const int64_t row = i / across % down * rows, block = i % across * blocks;
      task(Part{i / across / down, row, row + rows, block, std::min(block + blocks, t.blocks)});
    });
  }
  // Room for one task's sums for each group and row of pixels of t.
  float* sums_for(const Tiles& t, int64_t width) {
    sums.resize(static_cast<size_t>(t.groups * (t.pixels / width) * t.blocks * kSums));
    return sums.data();
  }
};

}  // namespace signstep::amx
