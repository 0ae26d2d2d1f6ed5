// SPDX-License-Identifier: Apache-2.0
// What a gradient goes through while it is still in the cache (GradientEpilogue in kernels.h), a unit at a time.
#pragma once

#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/kernels.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

// One row of pixels and one block of channels. Writes the sums when it goes.
class Epilogue {
 public:
  Epilogue(const GradientEpilogue& e, int64_t group, int64_t row, int64_t block)
      : e_(e),
        group_(group),
        block_(block),
        valid_(valid_rows(e.images, group)),
        sums_(e.sums + ((group * (e.out.pixels / e.width) + row) * e.out.blocks + block) * kSums),
        mean0_(load_row(e.mean0 + block * kSide)),
        mean1_(e.y1.data ? load_row(e.mean1 + block * kSide) : zero_row()) {}
  Epilogue(const Epilogue&) = delete;
  Epilogue& operator=(const Epilogue&) = delete;
  ~Epilogue() {
    store_row(sums_, total_);
    store_row(sums_ + kSide, with0_);
    store_row(sums_ + 2 * kSide, with1_);
  }

  // Asks for what unit() will read, while the products are under way.
  void prefetch(int64_t pixel) const {
    for (const Tiles* t : {&e_.z, &e_.y0, &e_.add, &e_.y1, &e_.out}) {
      if (t->data == nullptr) continue;
      const char* p = reinterpret_cast<const char*>(t->unit(group_, pixel, block_));
      for (int64_t i = 0; i < kUnit * 2; i += 64) _mm_prefetch(p + i, _MM_HINT_T1);
    }
  }

  // gradient: of image i at gradient + i * stride, 32 channels.
  void unit(int64_t pixel, const float* gradient, int64_t stride) {
    const Bf16* z = e_.z.unit(group_, pixel, block_);
    const Bf16* y0 = e_.y0.unit(group_, pixel, block_);
    const Bf16* add = e_.add.data ? e_.add.unit(group_, pixel, block_) : nullptr;
    const Bf16* y1 = e_.y1.data ? e_.y1.unit(group_, pixel, block_) : nullptr;
    Bf16* out = e_.out.unit(group_, pixel, block_);
    // Local: vector stores may alias anything, members among it.
    Row total = total_, with0 = with0_, with1 = with1_;
    const Row mean0 = mean0_, mean1 = mean1_;
    int64_t i = 0;
    for (; i < valid_; ++i) {
      Row v = load_row(gradient + i * stride);
      if (add) v = v + load_row(add + i * kSide);
      v = where_positive(load_row(z + i * kSide), v);
      store_row(out + i * kSide, v);
      total = total + v;
      with0 = fma(v, load_row(y0 + i * kSide) - mean0, with0);
      if (y1) with1 = fma(v, load_row(y1 + i * kSide) - mean1, with1);
    }
    total_ = total;
    with0_ = with0;
    with1_ = with1;
    for (; i < kSide; ++i) store_row(out + i * kSide, zero_row());
  }

 private:
  const GradientEpilogue& e_;
  int64_t group_, block_, valid_;
  float* sums_;
  Row mean0_, mean1_;
  Row total_ = zero_row(), with0_ = zero_row(), with1_ = zero_row();
};

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
