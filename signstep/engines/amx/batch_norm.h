// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe, Szegedy 2015, arXiv 1502.03167) from the sums that the convolutions' tasks leave behind.
// Channels are padded to whole blocks; a padded channel gets 0 everywhere. Sums of tasks are merged in their order, in
// double.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace signstep::amx {

// How tasks cut a tensor: one for each group of images and row of pixels.
struct TaskGrid {
  int64_t groups = 0, rows = 0, blocks = 0;
  int64_t width = 0, images = 0;
  double count() const { return static_cast<double>(images * rows * width); }  // values in a channel
};

// One normalised layer. Everything is a channel each, padded.
struct Norm {
  std::vector<float> gamma, beta;
  std::vector<float> mean, std_inverse;  // of the batch, or the running ones in evaluation
  std::vector<float> scale, shift;       // norm(y) = scale y + shift
  std::vector<float> a, b, c;            // dy = a g + b y + c

  void resize(int64_t channels);
};

// Mean and variance of the batch by merging pivoted sums (Chan, Golub, LeVeque 1983), then scale and shift; moves the
// running statistics a tenth of the way, the variance with n - 1, as PyTorch does.
void finish_forward(const float* sums, const TaskGrid& grid, Norm& norm, std::span<float> running_mean,
                    std::span<float> running_variance);

// Scale and shift from running statistics.
void use_running(std::span<const float> running_mean, std::span<const float> running_variance, Norm& norm);

// From sum(g) and sum(g (y - mean)), the latter in place `which` (1 or 2) of each task's sums: gradients of gamma and
// beta, and the coefficients of dy = gamma r (g - mean(g) - (y - mean) r^2 mean(g (y - mean))), r = 1 / std.
void finish_backward(const float* sums, int64_t which, const TaskGrid& grid, Norm& norm,
                     std::span<float> gamma_gradient, std::span<float> beta_gradient);

}  // namespace signstep::amx
