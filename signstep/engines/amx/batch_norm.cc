// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/batch_norm.h"

#include <cmath>

#include "signstep/engines/amx/kernels.h"

namespace signstep::amx {
namespace {

constexpr double kEpsilon = 1e-5;

// Calls f(the channel's first sum, images in the task's group) for every task in order.
template <class F>
void for_each_task(const float* sums, const TaskGrid& grid, int64_t channel, F&& f) {
  for (int64_t group = 0; group < grid.groups; ++group)
    for (int64_t row = 0; row < grid.rows; ++row)
      f(sums + ((group * grid.rows + row) * grid.blocks + channel / kSide) * kSums + channel % kSide,
        valid_rows(grid.images, group));
}

void set_scale(Norm& norm, size_t c, double mean, double variance) {
  const double r = 1 / std::sqrt(variance + kEpsilon);
  norm.mean[c] = static_cast<float>(mean);
  norm.std_inverse[c] = static_cast<float>(r);
  norm.scale[c] = static_cast<float>(norm.gamma[c] * r);
  norm.shift[c] = static_cast<float>(norm.beta[c] - mean * norm.gamma[c] * r);
}

}  // namespace

void Norm::resize(int64_t channels) {
  for (auto* v : {&gamma, &beta, &mean, &std_inverse, &scale, &shift, &a, &b, &c})
    v->assign(static_cast<size_t>(channels), 0.0f);
}

void finish_forward(const float* sums, const TaskGrid& grid, Norm& norm, std::span<float> running_mean,
                    std::span<float> running_variance) {
  for (size_t c = 0; c < running_mean.size(); ++c) {
    double count = 0, mean = 0, squares = 0;
    for_each_task(sums, grid, static_cast<int64_t>(c), [&](const float* s, int64_t images) {
      const double n = static_cast<double>(images * grid.width), sum = s[kSide];
      const double distance = s[0] + sum / n - mean;
      squares += s[2 * kSide] - sum * sum / n + distance * distance * count * n / (count + n);
      count += n;
      mean += distance * n / count;
    });
    set_scale(norm, c, mean, squares / count);
    running_mean[c] += 0.1f * (static_cast<float>(mean) - running_mean[c]);
    running_variance[c] += 0.1f * (static_cast<float>(squares / (count - 1)) - running_variance[c]);
  }
}

void use_running(std::span<const float> running_mean, std::span<const float> running_variance, Norm& norm) {
  for (size_t c = 0; c < running_mean.size(); ++c) set_scale(norm, c, running_mean[c], running_variance[c]);
}

void finish_backward(const float* sums, int64_t which, const TaskGrid& grid, Norm& norm,
                     std::span<float> gamma_gradient, std::span<float> beta_gradient) {
  for (size_t c = 0; c < gamma_gradient.size(); ++c) {
    double total = 0, moment = 0;
    for_each_task(sums, grid, static_cast<int64_t>(c), [&](const float* s, int64_t) {
      total += s[0];
      moment += s[which * kSide];
    });
    const double r = norm.std_inverse[c], a = norm.gamma[c] * r, b = -a * r * r * moment / grid.count();
    beta_gradient[c] = static_cast<float>(total);
    gamma_gradient[c] = static_cast<float>(moment * r);
    norm.a[c] = static_cast<float>(a);
    norm.b[c] = static_cast<float>(b);
    norm.c[c] = static_cast<float>(-a * total / grid.count() - b * norm.mean[c]);
  }
}

}  // namespace signstep::amx
