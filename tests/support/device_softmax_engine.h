// SPDX-License-Identifier: Apache-2.0
// The small engine for tests as one on a device: values and gradients lie in the memory of the CUDA library that is
// loaded, the host's copies are NaN wherever the device's are newer, and reads of the host's are counted.
#pragma once

#include <algorithm>
#include <limits>

#include "signstep/cuda/device_floats.h"
#include "tests/support/device_images.h"
#include "tests/support/softmax_engine.h"

namespace signstep {

class DeviceSoftmaxEngine final : public Engine {
 public:
  explicit DeviceSoftmaxEngine(const Network& network)
      : Engine(network), inner_(network), values_(network.parameter_elements), gradients_(network.parameter_elements) {}

  std::span<float> values() override {
    ++host_reads;
    return values_.here(inner_.values());
  }
  std::span<float> gradients() override {
    ++host_reads;
    return gradients_.here(inner_.gradients());
  }
  std::span<float> buffers() override { return inner_.buffers(); }
  Executor& executor() override { return inner_.executor(); }
  std::string description() const override { return "softmax on a device, for tests"; }

  std::optional<DeviceTensors> on_device() override {
    return DeviceTensors{.device = 0,
                         .stream = nullptr,
                         .values = values_.there(inner_.values()),
                         .gradients = gradients_.there(inner_.gradients())};
  }

  bool renders() const override { return true; }

  BatchResult forward_backward(const Batch& batch) override {
    values_.here(inner_.values());
    gradients_.here(inner_.gradients());
    const BatchResult result = inner_.forward_backward(rendered(batch));
    on_device();
    return result;
  }
  BatchResult evaluate(const Batch& batch, std::span<float> probabilities) override {
    values_.here(inner_.values());
    const BatchResult result = inner_.evaluate(rendered(batch), probabilities);
    on_device();
    return result;
  }

  int host_reads = 0;

 private:
  class Flat {
   public:
    explicit Flat(size_t n) : there_(0, n) {}
    std::span<float> here(std::span<float> host) {
      if (!here_) there_.read(host, nullptr);
      here_ = true;
      return host;
    }
    float* there(std::span<float> host) {
      if (here_) there_.write(host, nullptr);
      here_ = false;
      std::fill(host.begin(), host.end(), std::numeric_limits<float>::quiet_NaN());
      return there_.data();
    }

   private:
    DeviceFloats there_;
    bool here_ = true;
  };

  static Batch rendered(Batch batch) {
    if (batch.is_raw()) batch.images = device_images(batch);
    return batch;
  }

  SoftmaxEngine inner_;
  Flat values_, gradients_;
};

// By the other one's name, so that a run goes on from one to the other.
inline EngineRecord device_softmax_engine() {
  EngineRecord record = softmax_engine();
  record.make = [](const EngineOptions&, const Network& network) -> std::unique_ptr<Engine> {
    return std::make_unique<DeviceSoftmaxEngine>(network);
  };
  return record;
}

}  // namespace signstep
