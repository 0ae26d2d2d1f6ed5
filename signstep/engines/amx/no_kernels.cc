// SPDX-License-Identifier: Apache-2.0
// In the place of kernels_x86.cc where the processor is no x86.
#include "signstep/engines/amx/kernels.h"

namespace signstep::amx {

const Kernels* amx_kernels() { return nullptr; }
VectorProducts faster_products() { return VectorProducts::kFused; }
const Kernels* avx512_kernels(VectorProducts) { return nullptr; }

}  // namespace signstep::amx
