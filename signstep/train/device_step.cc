// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/device_step.h"

#include "signstep/base/error.h"

namespace signstep {

DeviceStep::DeviceStep(const DeviceTensors& where, size_t buffers, size_t elements)
    : stream_(where.stream), stepper_(where.device, where.stream) {
  for (size_t i = 0; i < buffers; ++i) buffers_.push_back(std::make_unique<DeviceFloats>(where.device, elements));
}

void DeviceStep::bring_to_host(OptimizerState& state) {
  if (!newer_here_) return;
  for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i]->read(state.buffers[i].values, stream_);
  newer_here_ = false;
}

void DeviceStep::bring_to_device(const OptimizerState& state) {
  if (newer_here_) return;
  for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i]->write(state.buffers[i].values, stream_);
  newer_here_ = true;
}

StepReport DeviceStep::step(Engine& engine, const UpdateRule& rule, OptimizerState& state,
                            std::span<const TensorSlot> tensors, double factor) {
  bring_to_device(state);
  std::vector<float*> buffers;
  for (const auto& buffer : buffers_) buffers.push_back(buffer->data());
  const DeviceTensors there = *engine.on_device();
  const PassStep step{tensors,  there.values, there.gradients, buffers, rule.learning_rate() * factor,
                      stepper_, stepper_};
  const StepReport report = rule.by_passes()->step(step, state);
  ++state.step;
  return report;
}

std::unique_ptr<DeviceStep> device_step(Engine& engine, const UpdateRule& rule, std::string& why) {
  const std::optional<DeviceTensors> where = engine.on_device();
  if (!where) return nullptr;
  if (rule.by_passes() == nullptr) {
    why = "the CPU takes the optimizer's steps, because this rule has no CUDA kernels";
    return nullptr;
  }
  try {
    auto step = std::make_unique<DeviceStep>(*where, rule.buffers().size(), engine.network().parameter_elements);
    why = "the optimizer's steps are taken on the device, by its CUDA kernels";
    return step;
  } catch (const EnvironmentError& e) {
    why = fmt::format("the CPU takes the optimizer's steps, because {}", e.what());
    return nullptr;
  }
}

}  // namespace signstep
