// SPDX-License-Identifier: Apache-2.0
// The CUDA stream that LibTorch works in, where it was built for CUDA and the toolkit's headers are there.
#pragma once

namespace signstep {

bool knows_cuda_streams();

// This thread's current stream of a device, a cudaStream_t. Null, the default stream, where none is known.
void* current_cuda_stream(int device);

}  // namespace signstep
