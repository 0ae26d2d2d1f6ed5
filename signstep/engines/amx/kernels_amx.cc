// SPDX-License-Identifier: Apache-2.0
#include <sys/syscall.h>
#include <unistd.h>

#include "signstep/base/cpu.h"
#include "signstep/engines/amx/fast_kernels.h"

namespace signstep::amx {
namespace {

// Linux saves the tiles of those alone who asked for them (arch_prctl, ARCH_REQ_XCOMP_PERM); threads inherit it.
bool tiles_granted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool assumed = false;

}  // namespace

void assume_matrix_units() { assumed = true; }

const Kernels* amx_kernels() {
  static const Kernels kernels{"amx",
                               fast::pack,
                               fast::conv,
                               fast::data_gradient,
                               fast::pool_gradient,
                               fast::weight_gradient,
                               fast::sum_weight_gradient,
                               fast::normalize,
                               fast::norm_gradient};
  static const bool usable = [] {
    const CpuFeatures& cpu = cpu_features();
    return cpu.avx512_bf16 && cpu.avx512 && (assumed || (cpu.amx_bf16 && tiles_granted()));
  }();
  return usable ? &kernels : nullptr;
}

}  // namespace signstep::amx
