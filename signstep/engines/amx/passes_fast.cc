// SPDX-License-Identifier: Apache-2.0
// Passes over activations: bound by memory, so each reads and writes a value once.
#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/fast_kernels.h"

SIGNSTEP_AMX_BEGIN

namespace signstep::amx::fast {

void normalize(const NormalizeJob& job, int64_t group, int64_t row) {
  const int64_t valid = valid_rows(job.images, group);
  for (int64_t pixel = row * job.width; pixel < (row + 1) * job.width; ++pixel)
    for (int64_t block = 0; block < job.out.blocks; ++block) {
      const int64_t c = block * kSide;
      const Row scale = load_row(job.scale + c), shift = load_row(job.shift + c);
      const Row residual_scale = job.residual_scale ? load_row(job.residual_scale + c) : zero_row();
      const Row residual_shift = job.residual_scale ? load_row(job.residual_shift + c) : zero_row();
      const Bf16* y = job.y.unit(group, pixel, block);
      const Bf16* residual = job.residual.data ? job.residual.unit(group, pixel, block) : nullptr;
      Bf16* out = job.out.unit(group, pixel, block);
      int64_t i = 0;
      for (; i < valid; ++i) {
        Row v = fma(load_row(y + i * kSide), scale, shift);
        if (residual) {
          const Row r = load_row(residual + i * kSide);
          v = v + (job.residual_scale ? fma(r, residual_scale, residual_shift) : r);
        }
        store_row(out + i * kSide, relu(v));
      }
      for (; i < kSide; ++i) store_row(out + i * kSide, zero_row());
    }
}

void norm_gradient(const NormGradientJob& job, int64_t group, int64_t row) {
  const int64_t valid = valid_rows(job.images, group);
  for (int64_t pixel = row * job.width; pixel < (row + 1) * job.width; ++pixel)
    for (int64_t block = 0; block < job.out.blocks; ++block) {
      const Row a = load_row(job.a + block * kSide), b = load_row(job.b + block * kSide),
                c = load_row(job.c + block * kSide);
      const Bf16* g = job.g.unit(group, pixel, block);
      const Bf16* y = job.y.unit(group, pixel, block);
      Bf16* out = job.out.unit(group, pixel, block);
      int64_t i = 0;
      for (; i < valid; ++i)
        store_row(out + i * kSide, fma(load_row(g + i * kSide), a, fma(load_row(y + i * kSide), b, c)));
      for (; i < kSide; ++i) store_row(out + i * kSide, zero_row());
    }
}

}  // namespace signstep::amx::fast

SIGNSTEP_AMX_END
