// SPDX-License-Identifier: Apache-2.0
// The c10d backends that a communicator can stand on. For the sources of this folder: its types are LibTorch's.
#pragma once

#include <ATen/ATen.h>

#include <torch/version.h>
#include <chrono>
#include <torch/csrc/distributed/c10d/Store.hpp>
#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

#include "signstep/wire/rendezvous.h"

namespace signstep {

#if TORCH_VERSION_MAJOR >= 2
using BackendBase = c10d::Backend;
#else
using BackendBase = c10d::ProcessGroup;  // LibTorch 1.13 has no class below it
#endif

struct OpenBackend {
  c10::intrusive_ptr<BackendBase> group;
  at::Device device = at::kCPU;      // where the tensors lie that it sends
  std::chrono::milliseconds wait{};  // for each of its calls; 0: what the group was made with
};

// Connect all ranks, which have met at the store. Throw what c10d throws, and open_nccl OptionError where this machine
// has no device for each of its ranks. open_gloo is there where CMake found gloo's headers, open_nccl where it found
// a CUDA build of PyTorch and nccl.h.
OpenBackend open_gloo(const Rendezvous& where, c10::intrusive_ptr<c10d::Store> store,
                      std::chrono::milliseconds timeout);
OpenBackend open_nccl(const Rendezvous& where, c10::intrusive_ptr<c10d::Store> store,
                      std::chrono::milliseconds timeout);

}  // namespace signstep
