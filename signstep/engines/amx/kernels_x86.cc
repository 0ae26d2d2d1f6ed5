// SPDX-License-Identifier: Apache-2.0
#include <sys/syscall.h>
#include <unistd.h>

#include "signstep/base/cpu.h"
#include "signstep/engines/amx/amx_target.h"
#include "signstep/engines/amx/fast_kernels.h"

namespace signstep::amx {
namespace {

// Linux saves the tiles of those alone who asked for them (arch_prctl, ARCH_REQ_XCOMP_PERM); threads inherit it.
bool tiles_granted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool assumed = false, by_hand = false;

template <class Unit>
const Kernels* kernels_of(const char* name) {
  converts_to_bf16 = cpu_features().avx512_bf16 && !by_hand;
  static const Kernels kernels{name,
                               fast::pack,
                               fast::conv<Unit>,
                               fast::data_gradient<Unit>,
                               fast::pool_gradient,
                               fast::weight_gradient<Unit>,
                               fast::sum_weight_gradient,
                               fast::normalize,
                               fast::norm_gradient};
  return &kernels;
}

}  // namespace

std::atomic<bool> converts_to_bf16 = false;

void assume_matrix_units() { assumed = true; }

void convert_to_bf16_by_hand(bool on) { by_hand = on; }

// A dot product of 32 pairs takes Intel's processors two cycles and a fused multiply-add of 16 half a one (measured on
// Emerald Rapids); AMD's take one of either in the same time.
VectorProducts faster_products() {
  const CpuFeatures& cpu = cpu_features();
  return cpu.intel || !cpu.avx512_bf16 ? VectorProducts::kFused : VectorProducts::kDots;
}

const Kernels* avx512_kernels(VectorProducts products) {
  const CpuFeatures& cpu = cpu_features();
  if (!cpu.avx512 || (products == VectorProducts::kDots && !cpu.avx512_bf16)) return nullptr;
  return products == VectorProducts::kDots ? kernels_of<fast::VectorUnit<fast::DotProducts>>("avx512")
                                           : kernels_of<fast::VectorUnit<fast::FusedPairs>>("avx512");
}

const Kernels* amx_kernels() {
  static const bool tiles = assumed || (cpu_features().amx_bf16 && tiles_granted());
  return tiles && avx512_kernels(VectorProducts::kDots) != nullptr ? kernels_of<fast::MatrixUnit>("amx") : nullptr;
}

}  // namespace signstep::amx
