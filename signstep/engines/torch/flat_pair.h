// SPDX-License-Identifier: Apache-2.0
// A flat float32 array in the host's memory and, of an engine on a device, once more in the device's. A side is brought
// up to date when somebody asks for it, and not before.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <span>

namespace signstep {

class FlatPair {
 public:
  // n zeros. Not apart: one array, in the host's memory.
  FlatPair(size_t n, at::Device device, bool apart)
      : host_(at::zeros(static_cast<int64_t>(n))), there_(apart ? host_.to(device, at::kFloat, false, true) : host_) {}

  // What was written last on either side; the caller may write it until it asks for the other one.
  std::span<float> host() {
    copy(newer_ == Side::kThere, host_, there_);
    newer_ = Side::kHost;
    return {host_.data_ptr<float>(), static_cast<size_t>(host_.numel())};
  }
  // Likewise in the engine's memory, to read.
  const at::Tensor& read() {
    copy(newer_ == Side::kHost, there_, host_);
    if (newer_ == Side::kHost) newer_ = Side::kNeither;
    return there_;
  }
  // In the engine's memory, for who has written it or is about to.
  const at::Tensor& write() {
    newer_ = Side::kThere;
    return there_;
  }

 private:
  enum class Side { kNeither, kHost, kThere };

  void copy(bool wanted, at::Tensor& to, const at::Tensor& from) const {
    if (!wanted || host_.is_same(there_)) return;
    const at::NoGradGuard no_grad;
    to.copy_(from);
  }

  at::Tensor host_, there_;
  Side newer_ = Side::kNeither;
};

}  // namespace signstep
