// SPDX-License-Identifier: Apache-2.0
// A tensor's CUDA device, and the stream that LibTorch works in there, where it was built for CUDA and the toolkit's
// headers are there.
#pragma once

#include <ATen/core/Tensor.h>

namespace signstep {

// 0 for the host's, which is the device of tests.
inline int device_number(const at::Tensor& t) { return t.is_cuda() ? static_cast<int>(t.get_device()) : 0; }

bool knows_cuda_streams();

// This thread's current stream of a device, a cudaStream_t. Null, the default stream, where none is known.
void* current_cuda_stream(int device);

}  // namespace signstep
