// SPDX-License-Identifier: Apache-2.0
// The functions of signstep.h that step tensors of a device.
#include <algorithm>
#include <span>
#include <vector>

#include "signstep/c/boundary.h"
#include "signstep/c/element_type.h"
#include "signstep/c/signstep.h"
#include "signstep/cuda/device_steps.h"
#include "signstep/cuda/entries.h"
#include "signstep/kernels/sgd_kernel.h"
#include "signstep/kernels/sign_kernel.h"

using namespace signstep;

// C's name is the struct itself.
struct signstep_cuda : DeviceSteps {
  using DeviceSteps::DeviceSteps;
};

namespace {

constexpr const char* kCuda = "what signstep_cuda_new gave";

int number_of(uint32_t device) { return static_cast<int>(std::min<uint32_t>(device, INT32_MAX)); }

template <class Enum>
Enum chosen(uint32_t value, uint32_t count, const char* name) {
  if (value >= count) throw OptionError(fmt::format("{} of a pass is {}; wanted less than {}", name, value, count));
  return static_cast<Enum>(value);
}

void require_array(const void* array, const char* name, uint32_t tensor) {
  if (array == nullptr) throw OptionError(fmt::format("tensor {}: {} is NULL; wanted its array", tensor, name));
}

DeviceArrays arrays_of(const signstep_cuda_tensor& t, uint32_t index, const signstep_draw* rounding) {
  DeviceArrays arrays;
  arrays.x = t.x;
  arrays.g = t.g;
  arrays.x_type = element_type(t.x_type, "x_type");
  arrays.g_type = element_type(t.g_type, "g_type");
  arrays.stochastic = t.stochastic != 0 && arrays.x_type != ElementType::kFloat32;
  if (t.n > 0) require_array(t.x, "x", index);
  if (t.n > 0) require_array(t.g, "g", index);
  if (!arrays.stochastic) return arrays;
  require_pointer(rounding, "rounding", "seed and step of the draws");
  arrays.seed = rounding->seed;
  arrays.step = rounding->step;
  return arrays;
}

StepTensor tensor_of(const signstep_cuda_tensor& t, const signstep_pass& pass) {
  StepTensor out;
  out.m = (pass.arrays & SIGNSTEP_M) != 0 ? t.m : nullptr;
  out.n = t.n;
  out.index = pass.tensor;
  out.sigma = pass.sigma;
  out.sgd_rate = pass.sgd_rate;
  const bool averages = static_cast<float>(pass.b1) != 0 || static_cast<float>(pass.b2) != 0;
  if (t.n > 0 && (pass.arrays & SIGNSTEP_M) != 0 && averages) require_array(t.m, "m", pass.tensor);
  return out;
}

SignStep sign_step_of(const signstep_pass& pass) {
  SignStep step;
  step.b1 = pass.b1;
  step.b2 = pass.b2;
  step.lr = pass.lr;
  step.decay_factor = pass.decay_factor;
  step.zero = chosen<ZeroPolicy>(pass.zero, 3, "zero");
  step.dither_on = chosen<DitherOn>(pass.dither_on, 4, "dither_on");
  step.noise = chosen<DitherNoise>(pass.noise, 2, "noise");
  step.sums = pass.kind == SIGNSTEP_PASS_MEASURE ? StepSums::kSquare : chosen<StepSums>(pass.sums, 3, "sums");
  step.products_with = pass.v_is_m != 0 ? ProductsWith::kMomentum : ProductsWith::kGradient;
  step.sgd_along = pass.sgd_along_g != 0 ? SgdAlong::kGradient : SgdAlong::kAverage;
  step.seed = pass.seed;
  step.step = pass.step;
  step.rank = pass.rank;
  return step;
}

void set(DeviceSteps& steps, std::span<const signstep_cuda_tensor> tensors, std::span<const signstep_pass> passes,
         const signstep_draw* rounding) {
  const uint32_t kind = passes.empty() ? static_cast<uint32_t>(SIGNSTEP_PASS_SIGN) : passes.front().kind;
  std::vector<SignEntry> signs;
  std::vector<SgdEntry> sgd;
  for (const signstep_pass& pass : passes) {
    if (pass.kind != kind || kind > SIGNSTEP_PASS_SGD)
      throw OptionError(fmt::format("a pass is of kind {}; wanted passes of one kind, SIGNSTEP_PASS_...", pass.kind));
    if (pass.tensor >= tensors.size())
      throw OptionError(fmt::format("a pass is of tensor {}; wanted less than {}", pass.tensor, tensors.size()));
    const signstep_cuda_tensor& t = tensors[pass.tensor];
    const DeviceArrays arrays = arrays_of(t, pass.tensor, rounding);
    StepTensor tensor = tensor_of(t, pass);
    if (kind == SIGNSTEP_PASS_SGD) {
      sgd.push_back(sgd_entry(arrays, tensor, {.mu = pass.b2, .decay_factor = pass.decay_factor, .l2 = pass.l2}));
    } else {
      if ((pass.arrays & SIGNSTEP_MAXIMUM) != 0) {
        if (t.n > 0) require_array(t.maximum, "maximum", pass.tensor);
        tensor.maximum = t.maximum;
      }
      signs.push_back(sign_entry(arrays, tensor, sign_step_of(pass)));
    }
  }
  if (kind == SIGNSTEP_PASS_SGD) return steps.set(sgd);
  steps.set(signs, kind == SIGNSTEP_PASS_MEASURE);
}

void read(DeviceSteps& steps, uint64_t count, signstep_statistics* statistics) {
  const std::span<const StepStatistics> seen = steps.read();
  if (count != seen.size())
    throw OptionError(fmt::format("statistics of {} passes; wanted {}, as the last set had", count, seen.size()));
  std::transform(seen.begin(), seen.end(), statistics, [](const StepStatistics& s) {
    return signstep_statistics{s.finite, s.nonfinite, s.nonzero, s.s_dot_v, s.v_dot_v, s.u_dot_u};
  });
}

}  // namespace

int signstep_cuda_devices(uint32_t* count) {
  return guarded([&] {
    require_pointer(count, "count", "where to put the number of devices");
    *count = static_cast<uint32_t>(device_count());
  });
}

int signstep_cuda_obstacle(uint32_t device, char* text, size_t size, size_t* needed) {
  return guarded([&] { copy_text(device_obstacle(number_of(device)), text, size, needed); });
}

int signstep_cuda_new(uint32_t device, signstep_cuda** out) {
  return guarded([&] {
    require_pointer(out, "out", "where to put what is made");
    *out = new signstep_cuda(number_of(device));
  });
}

void signstep_cuda_free(signstep_cuda* cuda) { delete cuda; }

int signstep_cuda_set(signstep_cuda* cuda, const signstep_cuda_tensor* tensors, uint64_t tensor_count,
                      const signstep_pass* passes, uint64_t count, const signstep_draw* rounding) {
  return guarded([&] {
    require_pointer(cuda, "cuda", kCuda);
    if (tensor_count > 0) require_pointer(tensors, "tensors", "as many as tensor_count says");
    if (count > 0) require_pointer(passes, "passes", "as many as count says");
    set(*cuda, {tensors, tensor_count}, {passes, count}, rounding);
  });
}

int signstep_cuda_launch(signstep_cuda* cuda, void* stream) {
  return guarded([&] {
    require_pointer(cuda, "cuda", kCuda);
    cuda->launch(stream);
  });
}

int signstep_cuda_read(signstep_cuda* cuda, uint64_t count, signstep_statistics* statistics) {
  return guarded([&] {
    require_pointer(cuda, "cuda", kCuda);
    if (count > 0) require_pointer(statistics, "statistics", "as many as count says");
    read(*cuda, count, statistics);
  });
}

int signstep_cuda_passes(void* context, const signstep_pass* passes, uint64_t count, signstep_statistics* statistics) {
  return guarded([&] {
    require_pointer(context, "context", "a signstep_cuda_step");
    const auto& step = *static_cast<const signstep_cuda_step*>(context);
    require_pointer(step.cuda, "cuda", kCuda);
    if (step.count > 0) require_pointer(step.tensors, "tensors", "as many as count says");
    if (count > 0) require_pointer(passes, "passes", "as many as count says");
    if (count > 0) require_pointer(statistics, "statistics", "as many as count says");
    refuse_capture(step.cuda->device(), step.stream);
    set(*step.cuda, {step.tensors, step.count}, {passes, count}, &step.rounding);
    step.cuda->launch(step.stream);
    read(*step.cuda, count, statistics);
  });
}
