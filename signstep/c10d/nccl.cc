// SPDX-License-Identifier: Apache-2.0
// Compiled against PyPI's PyTorch 2.15 for CUDA 13; not run on a device.
#define USE_C10D_NCCL  // which its header asks for
#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "signstep/base/error.h"
#include "signstep/c10d/backend.h"

namespace signstep {

using Nccl = c10d::ProcessGroupNCCL;

OpenBackend open_nccl(const Rendezvous& where, c10::intrusive_ptr<c10d::Store> store,
                      std::chrono::milliseconds timeout) {
  const auto devices = static_cast<size_t>(c10::cuda::device_count());
  if (devices < where.here)
    throw OptionError(
        fmt::format("NCCL wants a CUDA device for each of the {} ranks on this machine, and PyTorch sees {}; start "
                    "fewer, or use --worker-backend gloo",
                    where.here, devices));
  const auto device = static_cast<c10::DeviceIndex>(where.local_rank);
  c10::cuda::set_device(device);  // for the engine too
  const auto options = Nccl::Options::create();
  options->timeout = timeout;
  return {
      .group = c10::make_intrusive<Nccl>(store, static_cast<int>(where.rank), static_cast<int>(where.size), options),
      .device = at::Device(at::kCUDA, device),
      .wait = timeout};
}

}  // namespace signstep
