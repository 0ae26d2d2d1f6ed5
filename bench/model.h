// SPDX-License-Identifier: Apache-2.0
// What the kernels are timed on.
#pragma once

#include <vector>

#include "signstep/kernels/step.h"
#include "signstep/random/random.h"

namespace signstep {

// Parameters in registration order: 10 classes, CIFAR stem, 62 tensors, 11,173,962 elements.
inline std::vector<size_t> resnet18_sizes() {
  std::vector<size_t> sizes = {64 * 3 * 9, 64, 64};
  size_t in = 64;
  for (const size_t out : {64, 128, 256, 512}) {
    for (int block = 0; block < 2; ++block) {
      sizes.insert(sizes.end(), {out * in * 9, out, out, out * out * 9, out, out});
      if (in != out) sizes.insert(sizes.end(), {out * in, out, out});
      in = out;
    }
  }
  sizes.insert(sizes.end(), {10 * 512, 10});
  return sizes;
}

// x, g and m of a list of tensors in flat buffers.
struct Model {
  explicit Model(std::vector<size_t> tensor_sizes) : sizes(std::move(tensor_sizes)) {
    for (const size_t n : sizes) elements += n;
    x.resize(elements);
    g.resize(elements);
    m.resize(elements);
    reset();
  }
  void reset() {
    // Bell-shaped values of standard deviation about 1 (g) and 0.3 (m); a network's spread matters to dithering only.
    const Stream stream(1, Purpose::kInit);
    for (size_t i = 0; i < elements; ++i) {
      const PhiloxCounter w = stream.group(static_cast<uint32_t>(i));
      const auto bell = [](uint32_t word) {
        return static_cast<float>((word & 0xFF) + (word >> 8 & 0xFF) + (word >> 16 & 0xFF) + (word >> 24)) / 148.0f -
               510.0f / 148.0f;
      };
      x[i] = bell(w[0]);
      g[i] = bell(w[1]);
      m[i] = 0.3f * bell(w[2]);
    }
  }
  std::vector<StepTensor> tensors(float sigma, float sgd_rate, bool state) {
    std::vector<StepTensor> list;
    size_t start = 0;
    for (size_t t = 0; t < sizes.size(); ++t) {
      StepTensor tensor;
      tensor.x = x.data() + start;
      tensor.g = g.data() + start;
      tensor.m = state ? m.data() + start : nullptr;
      tensor.n = sizes[t];
      tensor.index = static_cast<uint32_t>(t);
      tensor.sigma = sigma;
      tensor.sgd_rate = sgd_rate;
      list.push_back(tensor);
      start += sizes[t];
    }
    return list;
  }
  std::vector<size_t> sizes;
  size_t elements = 0;
  std::vector<float> x, g, m;
};

}  // namespace signstep
