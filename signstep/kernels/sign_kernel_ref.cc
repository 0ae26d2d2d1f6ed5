// SPDX-License-Identifier: Apache-2.0
// The sign rule as a plain loop: the specification that sign_kernel.cc is held against, bit for bit.
#include <algorithm>
#include <cmath>

#include "signstep/kernels/sign_block.h"
#include "signstep/random/normal.h"

namespace signstep {
namespace {

float sign_without_dither(const SignBlock& b, float u, size_t i) {
  if (u > 0) return 1;
  if (u < 0) return -1;
  switch (b.zero) {
    case ZeroPolicy::kPlus: return 1;
    case ZeroPolicy::kRandom: return zero_coins(b.coins, i / 64) >> (i % 64) & 1 ? 1.0f : -1.0f;
    case ZeroPolicy::kSkip: break;
  }
  return 0;
}

float sign_of_update(const SignBlock& b, float u, float sigma, size_t i) {
  if (sigma == 0 || (b.noise != Noise::kBernoulli && b.noise != Noise::kLaw)) return sign_without_dither(b, u, i);
  if (b.mean) return b.uniform ? uniform_mean(u, sigma) : static_cast<float>(gaussian_mean(u, sigma));
  const int16_t h = dither_halfword(b.draws, i);
  const uint32_t w = b.refinement.word(i);
  return (b.uniform ? uniform_is_plus(u, sigma, h, w) : dither_is_plus(u, sigma, h, w)) ? 1.0f : -1.0f;
}

}  // namespace

void sign_elements_ref(const SignBlock& b, bool measure, size_t begin, size_t end, SignSums& sums) {
  for (size_t i = begin; i < end; ++i) {
    const float g = b.g[i];
    float noisy = g, u = g, m = g;
    if (b.noise == Noise::kGradient && !measure) noisy = g + b.sigma * normal_at(b.gaussian, i);
    if (b.m != nullptr) {
      u = b.b1 * b.m[i] + b.a1 * noisy;
      m = b.b2 * b.m[i] + b.a2 * noisy;
    }
    if (!std::isfinite(u) || !std::isfinite(m)) {
      ++sums.nonfinite;
      continue;
    }
    const double square = b.square_of_gradient ? g : u;
    if (b.sums != StepSums::kNone) sums.u_dot_u.add(i, square * square);
    if (measure) continue;

    float sigma = b.sigma;
    if (b.maximum != nullptr) {
      b.maximum[i] = std::max(b.maximum[i], std::fabs(u));
      sigma = b.sigma * b.maximum[i];
    }
    const float s = sign_of_update(b, u, sigma, i);
    if (b.sums == StepSums::kAll) {
      const double v = b.v_is_momentum ? m : g;
      sums.nonzero += s != 0;
      sums.s_dot_v.add(i, s * v);  // exact
      sums.v_dot_v.add(i, v * v);
    }
    const float noisy_sign = b.noise == Noise::kPost ? s + b.sigma * normal_at(b.gaussian, i) : s;
    float x = b.decay_factor * b.x[i] - b.lr * noisy_sign;
    if (b.sgd_rate != 0) x = x - b.sgd_rate * (b.sgd_along_gradient ? g : m);
    b.x[i] = x;
    if (b.m != nullptr) b.m[i] = m;
  }
}

void sign_range_ref(const SignBlock& b, bool measure, size_t begin, size_t end, StepStatistics& partial) {
  for (size_t block = begin; block < end; block += kBlockElements) {
    const size_t block_end = std::min(block + kBlockElements, end);
    SignSums sums;
    sign_elements_ref(b, measure, block, block_end, sums);
    sums.add_to(partial, block_end - block);
  }
}

namespace {

void all_ref(std::span<const StepTensor> tensors, const SignStep& step, bool measure,
             std::span<StepStatistics> statistics) {
  for (size_t t = 0; t < tensors.size(); ++t) {
    const SignBlock b(tensors[t], step);
    statistics[t] = {};
    for (size_t begin = 0; begin < tensors[t].n; begin += kPartialElements) {
      StepStatistics partial;
      sign_range_ref(b, measure, begin, std::min(begin + kPartialElements, tensors[t].n), partial);
      statistics[t] += partial;
    }
  }
}

}  // namespace

void sign_step_ref(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics) {
  all_ref(tensors, step, false, statistics);
}

void sign_measure_ref(std::span<const StepTensor> tensors, const SignStep& step, std::span<StepStatistics> statistics) {
  SignStep measure = step;
  measure.sums = StepSums::kSquare;
  all_ref(tensors, measure, true, statistics);
}

}  // namespace signstep
