// SPDX-License-Identifier: Apache-2.0
// What libsignstep_cuda.so does for libsignstep.so, which opens it: plain functions on device memory, so that neither
// shows a C++ type to the other. Private: both come from one build, and `layout` is looked at before anything else.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signstep/cuda/baseline_table.h"
#include "signstep/cuda/bits_body.h"
#include "signstep/cuda/norm_table.h"
#include "signstep/cuda/render_body.h"
#include "signstep/cuda/step_table.h"

namespace signstep {

inline constexpr uint64_t kDeviceLayout =
    uint64_t{7} << 48 | uint64_t{sizeof(SignEntry)} << 32 | uint64_t{sizeof(SgdEntry)} << 16 | sizeof(PackArguments);

// Each function returns 0 or a code of CUDA's; stream is a cudaStream_t of the device. Launches do not wait.
struct DeviceCalls {
  uint64_t layout;
  int (*devices)(int* count);
  // 0 where there is code for the device, whose compute capability is *sm: 90 for 9.0. Takes the device into use.
  int (*code)(int device, int* sm);
  // Memory that both can reach by a copy which does not wait: of the host, pinned, and of the device. Either may be
  // null.
  int (*allocate)(int device, size_t bytes, void** host, void** memory);
  int (*release)(int device, void* host, void* memory);
  int (*copy)(int device, void* stream, void* to, const void* from, size_t bytes);  // either way
  int (*wait)(int device, void* stream);
  int (*make_event)(int device, void** event);
  int (*drop_event)(int device, void* event);
  int (*record)(int device, void* stream, void* event);
  int (*wait_event)(int device, void* event);
  int (*capturing)(int device, void* stream, bool* captured);  // whether what is queued goes into a graph

  int (*sign)(int device, void* stream, const StepTable<SignEntry>* table, uint32_t blocks);
  int (*sgd)(int device, void* stream, const StepTable<SgdEntry>* table, uint32_t blocks);
  int (*baseline)(int device, void* stream, Baseline kind, const StepTable<BaselineEntry>* table, uint32_t blocks);
  int (*total)(int device, void* stream, const StepTable<SignEntry>* table);  // after sign, where it has sums
  int (*pack)(int device, void* stream, const PackArguments* arguments);
  int (*signs)(int device, void* stream, const SignsArguments* arguments);
  int (*vote)(int device, void* stream, const VoteBlock* vote);
  int (*render)(int device, void* stream, const RenderArguments* arguments);
  int (*norm)(int device, void* stream, NormPass pass, const NormArguments* arguments);
  const char* (*text)(int code);  // what CUDA says of it
};

}  // namespace signstep

extern "C" {
// What libsignstep_cuda.so has.
const signstep::DeviceCalls* signstep_cuda_calls();
}
