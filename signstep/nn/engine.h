// SPDX-License-Identifier: Apache-2.0
// The seam between training and what computes gradients. No LibTorch type appears here.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "signstep/data/batch.h"
#include "signstep/nn/network.h"
#include "signstep/parallel/executor.h"

namespace signstep {

struct BatchResult {
  double loss = 0;     // mean cross-entropy over the batch, natural logarithm
  size_t correct = 0;  // images whose largest logit is the label's
};

// Flat values and gradients in the memory of a CUDA device: addresses for its kernels.
struct DeviceTensors {
  int device = 0;
  void* stream = nullptr;  // where the engine queues its work
  float* values = nullptr;
  const float* gradients = nullptr;
};

class Engine {
 public:
  virtual ~Engine() = default;

  const Network& network() const { return network_; }
  // Flat buffers, network().parameter_elements and network().buffer_elements long; they stay where they are. The caller
  // may write them between calls; gaps between tensors stay 0. Of an engine on a device they are what it holds when it
  // is asked, so who reads or writes after another call of the engine, or after a step there, asks again.
  virtual std::span<float> values() = 0;
  virtual std::span<float> gradients() = 0;
  virtual std::span<float> buffers() = 0;

  // Of an engine that computes on a device: the same values and gradients there, for one step by its kernels, which is
  // queued on the stream before anything else is asked of the engine. They stay where they are. Cost: a copy of what
  // the host's side was asked for since.
  virtual std::optional<DeviceTensors> on_device() { return std::nullopt; }

  // Whether batches may be raw (Batch::raw): the engine makes the images where it computes, with render()'s bits.
  virtual bool renders() const { return false; }

  // Overwrites the gradients with those of the mean loss over the batch, and moves the running statistics.
  virtual BatchResult forward_backward(const Batch& batch) = 0;
  // Running statistics are used and left alone; gradients are left alone. Where probabilities is not empty it gets
  // those of every class, batch.count x classes, an image a row.
  virtual BatchResult evaluate(const Batch& batch, std::span<float> probabilities) = 0;
  BatchResult evaluate(const Batch& batch) { return evaluate(batch, {}); }

  virtual Executor& executor() = 0;             // for the optimizer's kernels: the engine's own threads
  virtual std::string description() const = 0;  // "torch 1.13.1, bf16, 2 threads"

 protected:
  explicit Engine(Network network) : network_(std::move(network)) {}

 private:
  Network network_;
};

}  // namespace signstep
