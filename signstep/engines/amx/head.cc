// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/head.h"

#include <cmath>

namespace signstep::amx {
namespace {

// In sixteen lanes, so that the compiler may use vectors without changing the order that is written here.
float dot(const float* a, const float* b, int64_t n) {
  float lanes[16] = {};
  const int64_t whole = n / 16 * 16;
  for (int64_t i = 0; i < whole; i += 16)
    for (int64_t lane = 0; lane < 16; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  for (int64_t i = whole; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Softmax in place; returns the cross-entropy for the label.
double softmax(std::span<float> logits, size_t label) {
  double largest = logits[0];
  for (const float x : logits) largest = std::max<double>(largest, x);
  const double target = logits[label];
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - largest);
  for (float& x : logits) x = static_cast<float>(std::exp(x - largest) / sum);
  return std::log(sum) + largest - target;
}

}  // namespace

BatchResult Head::forward(const Tiles& t, std::span<const float> weight, std::span<const float> bias,
                          std::span<const int64_t> labels, Executor& executor) {
  const int64_t channels = t.blocks * kSide, classes = shape_.classes;
  pooled_.assign(static_cast<size_t>(t.groups * kSide * channels), 0.0f);
  probabilities_.resize(labels.size() * static_cast<size_t>(classes));
  std::vector<double> losses(labels.size());
  std::vector<char> right(labels.size());
  executor.run(static_cast<size_t>(t.groups * t.blocks), [&](size_t task) {
    const int64_t group = static_cast<int64_t>(task) / t.blocks, block = static_cast<int64_t>(task) % t.blocks;
    float* sums = pooled_.data() + group * kSide * channels + block * kSide;
    for (int64_t pixel = 0; pixel < t.pixels; ++pixel) {
      const Bf16* unit = t.unit(group, pixel, block);
      for (int64_t i = 0; i < kSide; ++i)
        for (int64_t c = 0; c < kSide; ++c) sums[i * channels + c] += widen(unit[i * kSide + c]);
    }
    for (int64_t i = 0; i < kSide; ++i)
      for (int64_t c = 0; c < kSide; ++c) sums[i * channels + c] /= static_cast<float>(t.pixels);
  });
  executor.run(labels.size(), [&](size_t image) {
    float* logits = probabilities_.data() + image * static_cast<size_t>(classes);
    const float* x = pooled_.data() + static_cast<int64_t>(image) * channels;
    int64_t best = 0;
    for (int64_t k = 0; k < classes; ++k) {
      logits[k] = dot(weight.data() + k * shape_.features, x, shape_.features) + bias[static_cast<size_t>(k)];
      if (logits[k] > logits[best]) best = k;
    }
    right[image] = best == labels[image] ? 1 : 0;
    losses[image] = softmax({logits, static_cast<size_t>(classes)}, static_cast<size_t>(labels[image]));
  });
  BatchResult result;
  for (size_t i = 0; i < labels.size(); ++i) {
    result.loss += losses[i];
    result.correct += static_cast<size_t>(right[i]);
  }
  return result;
}

std::span<const float> Head::backward(const Tiles& t, std::span<const float> weight, std::span<float> weight_gradient,
                                      std::span<float> bias_gradient, std::span<const int64_t> labels,
                                      Executor& executor) {
  const int64_t channels = t.blocks * kSide, classes = shape_.classes, features = shape_.features;
  const auto images = static_cast<int64_t>(labels.size());
  std::vector<float> d = probabilities_;  // gradient of the logits
  for (int64_t i = 0; i < images; ++i) {
    d[static_cast<size_t>(i * classes + labels[static_cast<size_t>(i)])] -= 1.0f;
    for (int64_t k = 0; k < classes; ++k) d[static_cast<size_t>(i * classes + k)] /= static_cast<float>(images);
  }
  executor.run(static_cast<size_t>(classes), [&](size_t k) {
    float* row = weight_gradient.data() + static_cast<int64_t>(k) * features;
    std::fill_n(row, features, 0.0f);
    float bias = 0;
    for (int64_t i = 0; i < images; ++i) {
      const float scale = d[static_cast<size_t>(i * classes) + k];
      const float* x = pooled_.data() + i * channels;
      for (int64_t c = 0; c < features; ++c) row[c] += scale * x[c];
      bias += scale;
    }
    bias_gradient[k] = bias;
  });
  gradient_.assign(pooled_.size(), 0.0f);
  executor.run(labels.size(), [&](size_t i) {
    float* row = gradient_.data() + static_cast<int64_t>(i) * channels;
    for (int64_t k = 0; k < classes; ++k) {
      const float scale = d[i * static_cast<size_t>(classes) + static_cast<size_t>(k)] / static_cast<float>(t.pixels);
      for (int64_t c = 0; c < features; ++c) row[c] += scale * weight[static_cast<size_t>(k * features + c)];
    }
  });
  return gradient_;
}

}  // namespace signstep::amx
