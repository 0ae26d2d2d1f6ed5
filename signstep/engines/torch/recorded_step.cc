// SPDX-License-Identifier: Apache-2.0
// The CUDA side was compiled against PyPI's PyTorch 2.15 and 2.11 for CUDA 13, and run with the latter.
#include "signstep/engines/torch/recorded_step.h"

#ifdef SIGNSTEP_TORCH_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace signstep {

#ifdef SIGNSTEP_TORCH_WITH_CUDA

// Streams and events by c10's classes for any device: those for CUDA are inline and call a CUDA runtime, which would
// have to be PyTorch's own.
struct RecordedStep::Recording {
  static constexpr int kWarmUp = 3;  // as PyTorch's notes on CUDA graphs have it

  c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool();  // the default one cannot be captured
  at::cuda::CUDAGraph graph;
  int runs = 0;
  bool done = false;

  void run(const std::function<void()>& work) {
    if (!done) first_runs(work);
    if (done) graph.replay();
  }

  void first_runs(const std::function<void()>& work) {
    const c10::Stream outside = c10::cuda::getCurrentCUDAStream().unwrap(), inside = stream.unwrap();
    c10::Event before(at::kCUDA), after(at::kCUDA);
    before.record(outside);
    before.block(inside);
    {
      const c10::StreamGuard guard(inside);
      if (runs++ < kWarmUp) {
        work();
      } else {
        // What the warm-up left cached is not given back while a capture takes as much again.
        c10::cuda::CUDACachingAllocator::emptyCache();
        // Other threads may use CUDA meanwhile: NCCL's watchdog does.
        graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
        work();
        graph.capture_end();
        done = true;
      }
      after.record(inside);
    }
    after.block(outside);
  }
};

RecordedStep::RecordedStep(at::Device device, std::function<void()> work)
    : work_(std::move(work)), recording_(device.is_cuda() ? std::make_unique<Recording>() : nullptr) {}

void RecordedStep::run() { recording_ ? recording_->run(work_) : work_(); }

bool RecordedStep::recorded() const { return recording_ && recording_->done; }

#else

struct RecordedStep::Recording {};

RecordedStep::RecordedStep(at::Device, std::function<void()> work) : work_(std::move(work)) {}

void RecordedStep::run() { work_(); }

bool RecordedStep::recorded() const { return false; }

#endif

RecordedStep::~RecordedStep() = default;

}  // namespace signstep
