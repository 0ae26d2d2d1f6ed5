// SPDX-License-Identifier: Apache-2.0
// A rule's steps on the values of an engine that computes on a device, by the device's kernels. The state's buffers lie
// there too; the host's copy is made when somebody asks for it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signstep/cuda/device_floats.h"
#include "signstep/cuda/device_stepper.h"
#include "signstep/nn/engine.h"
#include "signstep/optim/rule.h"

namespace signstep {

class DeviceStep {
 public:
  // where: of the engine that is stepped. buffers of elements each are those of the rule. Throws EnvironmentError where
  // the kernels, the device or memory are not there.
  DeviceStep(const DeviceTensors& where, size_t buffers, size_t elements);

  // optimizer_step of a rule that is alone and by_passes(), with the same bits. Throws what that throws, and
  // EnvironmentError where the device fails.
  StepReport step(Engine& engine, const UpdateRule& rule, OptimizerState& state, std::span<const TensorSlot> tensors,
                  double factor);

  // The state's buffers as the last step left them; what is then written into them is what the next step takes.
  void bring_to_host(OptimizerState& state);

 private:
  void bring_to_device(const OptimizerState& state);

  void* stream_;
  DeviceStepper stepper_;
  std::vector<std::unique_ptr<DeviceFloats>> buffers_;
  bool newer_here_ = false;  // than the host's copy
};

// For an engine on a device and a rule that has kernels there, else null. why: what to tell of that, "" for an engine
// in the host's memory.
std::unique_ptr<DeviceStep> device_step(Engine& engine, const UpdateRule& rule, std::string& why);

}  // namespace signstep
