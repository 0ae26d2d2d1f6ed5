// SPDX-License-Identifier: Apache-2.0
// Work that is the same in every step. On a CUDA device its kernels are recorded once, as a CUDA graph, and launched
// together from then on; elsewhere it is simply done again.
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace signstep {

class RecordedStep {
 public:
  // work reads and writes tensors that stay at their addresses, waits for nothing on the host, and is kept.
  RecordedStep(at::Device device, std::function<void()> work);
  ~RecordedStep();

  // Ordered as if it ran on the caller's current stream. The first calls launch kernel by kernel: libraries choose and
  // allocate then. Throws what the work throws. Cost: device memory for all that the work allocates, for good.
  void run();

  // Whether the work is launched as a graph by now.
  bool recorded() const;

 private:
  struct Recording;  // CUDA's, where LibTorch and the toolkit have it

  std::function<void()> work_;
  std::unique_ptr<Recording> recording_;
};

}  // namespace signstep
