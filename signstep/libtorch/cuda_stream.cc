// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/cuda_stream.h"

#ifdef SIGNSTEP_TORCH_WITH_CUDA
#include <c10/cuda/CUDAStream.h>
#endif

namespace signstep {

#ifdef SIGNSTEP_TORCH_WITH_CUDA
bool knows_cuda_streams() { return true; }
void* current_cuda_stream(int device) {
  return c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)).stream();
}
#else
bool knows_cuda_streams() { return false; }
void* current_cuda_stream(int) { return nullptr; }
#endif

}  // namespace signstep
