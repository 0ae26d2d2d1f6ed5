// SPDX-License-Identifier: Apache-2.0
// A small engine that truly learns, for tests of what stands above engines: softmax regression by the network's last
// layer on mean pixels of 8 x 8 blocks. Every other parameter only feels a penalty, and the first running mean follows
// the pixels, so that everything a checkpoint holds moves. Any number of threads, the same bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "signstep/nn/engine_table.h"

namespace signstep {

class SoftmaxEngine final : public Engine {
 public:
  explicit SoftmaxEngine(const Network& network)
      : Engine(network),
        values_(network.parameter_elements),
        gradients_(network.parameter_elements),
        buffers_(network.buffer_elements) {}

  std::span<float> values() override { return values_; }
  std::span<float> gradients() override { return gradients_; }
  std::span<float> buffers() override { return buffers_; }
  Executor& executor() override { return executor_; }
  std::string description() const override { return "softmax, for tests"; }

  BatchResult forward_backward(const Batch& batch) override {
    for (size_t i = 0; i < values_.size(); ++i) gradients_[i] = 1e-3f * values_[i];
    const BatchResult result = over(batch, true);
    if (!buffers_.empty()) buffers_[0] += 0.1f * (batch.images[0] - buffers_[0]);
    return result;
  }
  BatchResult evaluate(const Batch& batch, std::span<float> probabilities) override {
    return over(batch, false, probabilities);
  }

 private:
  BatchResult over(const Batch& batch, bool backward, std::span<float> probabilities = {}) {
    const TensorInfo &weight = network().parameters.at(network().parameters.size() - 2),
                     &bias = network().parameters.back();
    const auto classes = static_cast<size_t>(weight.shape[0]), inputs = static_cast<size_t>(weight.shape[1]);
    BatchResult sum;
    for (size_t image = 0; image < batch.count; ++image) {
      const std::vector<double> x = features(batch, image, inputs);
      std::vector<double> p(classes);
      double total = 0;
      for (size_t k = 0; k < classes; ++k) {
        double logit = values_[bias.offset + k];
        for (size_t i = 0; i < inputs; ++i) logit += values_[weight.offset + k * inputs + i] * x[i];
        total += p[k] = std::exp(logit);
      }
      for (size_t k = 0; !probabilities.empty() && k < classes; ++k)
        probabilities[image * classes + k] = static_cast<float>(p[k] / total);
      const auto label = static_cast<size_t>(batch.labels[image]);
      sum.loss -= std::log(p[label] / total) / static_cast<double>(batch.count);
      sum.correct += static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin()) == label;
      for (size_t k = 0; backward && k < classes; ++k) {
        const double d = (p[k] / total - (k == label)) / static_cast<double>(batch.count);
        gradients_[bias.offset + k] += static_cast<float>(d);
        for (size_t i = 0; i < inputs; ++i) gradients_[weight.offset + k * inputs + i] += static_cast<float>(d * x[i]);
      }
    }
    return sum;
  }

  // Channels lie innermost. Blocks are taken round and round until there are as many features as inputs.
  static std::vector<double> features(const Batch& b, size_t image, size_t inputs) {
    const int across = b.width / 8, blocks = (b.height / 8) * across;
    std::vector<double> x(inputs);
    for (size_t i = 0; i < inputs; ++i) {
      const int channel = static_cast<int>(i) % b.channels, block = static_cast<int>(i) / b.channels % blocks;
      for (int y = 0; y < 8; ++y)
        for (int col = 0; col < 8; ++col) {
          const int row = block / across * 8 + y, column = block % across * 8 + col;
          const size_t pixel =
              (image * static_cast<size_t>(b.height) + static_cast<size_t>(row)) * static_cast<size_t>(b.width) +
              static_cast<size_t>(column);
          x[i] += b.images[pixel * static_cast<size_t>(b.channels) + static_cast<size_t>(channel)] / 64.0;
        }
    }
    return x;
  }

  std::vector<float> values_, gradients_, buffers_;
  SerialExecutor executor_;
};

inline EngineRecord softmax_engine() {
  return {.name = "softmax",
          .about = [] { return std::string(); },
          .obstacle = [](const EngineOptions&, const Network&) { return std::string(); },
          .precision = [](const EngineOptions&, const Network&) { return Precision::kFp32; },
          .make = [](const EngineOptions&, const Network& network) -> std::unique_ptr<Engine> {
            return std::make_unique<SoftmaxEngine>(network);
          }};
}

}  // namespace signstep
