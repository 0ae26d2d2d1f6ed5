// SPDX-License-Identifier: Apache-2.0
// What the step kernels (sign_kernel.h, sgd_kernel.h) take and return. Plain data. Tensors are float32; a step's
// numbers are double, which the kernels round to float once and a step in double takes whole.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signstep {

inline constexpr size_t kMostElements = size_t{1} << 34;  // 4 for each of the random counter's 2^32 groups

// One tensor of a multi-tensor step. No alignment is needed; x, g and m must not overlap.
struct StepTensor {
  float* x = nullptr;        // n values, stepped in place
  const float* g = nullptr;  // n gradients, only read
  float* m = nullptr;        // n moving averages (the SGD phase calls them d); null where the rule keeps no state
  size_t n = 0;              // [0, kMostElements)
  uint32_t index = 0;        // tensor number in the random counter, [0, 2^24); used by dither and zero coins only
  float* maximum = nullptr;  // n running maxima of |u|, updated in place: times sigma the dither's scale; or null
  double sigma = 0;          // >= 0, scale of this step's dither (DitherNoise), resolved by the caller; 0 = none
  double sgd_rate = 0;       // >= 0: SGD phase: the rate. Blend: (1 - alpha) * rate. Sign phase: 0
  bool decay = true;         // whether decoupled weight decay applies to this tensor
};

enum class ZeroPolicy : uint8_t {
  kSkip,    // sign(+-0) = 0: no step (weight decay still applies)
  kRandom,  // a fair coin
  kPlus,    // +1
};

// Where the noise of scale sigma enters. Where sigma is 0 nothing does: s = sign(u).
enum class DitherOn : uint8_t {
  kUpdate,    // s = sign(u + sigma xi); drawn as a Bernoulli with P(s = +1) = Phi(u / sigma)
  kGradient,  // g + sigma xi replaces g in both moving averages
  kPost,      // s = sign(u) + sigma xi; the statistics are of sign(u)
  kMean,      // s = the mean of what kUpdate draws, in [-1, 1]: no noise, 0 for u = 0
};

// What xi is, on the update and in its mean; elsewhere it is Gaussian and of one scale.
enum class DitherNoise : uint8_t {
  kGaussian,  // standard normal: P(s = +1) = Phi(u / sigma), mean erf(u / (sigma sqrt 2))
  kUniform,   // uniform in [-1, 1], sigma its half width: P(s = +1) = (1 + u / sigma) / 2, mean u / sigma, both cut
};

// What the products of a step are taken against.
enum class ProductsWith : uint8_t { kGradient, kMomentum };  // v = g, or v = the new m (g where there is no m)

// What the SGD term of a sign step moves along: the new m, or the gradient, while m goes on as the sign rule's.
enum class SgdAlong : uint8_t { kAverage, kGradient };

// Which sums ride along; `nonfinite` and `finite` are always counted.
enum class StepSums : uint8_t {
  kNone,
  kSquare,  // u_dot_u
  kAll,     // everything
};

// Sums over the finite coordinates of one tensor, in the order of lane_sums.h. A coordinate is non-finite when its u or
// its new m is: then it takes no step and no decay and its m stays. x itself is not examined.
struct StepStatistics {
  uint64_t finite = 0;
  uint64_t nonfinite = 0;
  uint64_t nonzero = 0;  // s != 0
  double s_dot_v = 0;    // |g|_1 for plain SignSGD
  double v_dot_v = 0;
  double u_dot_u = 0;  // of the noise-free u, or of g for gradient placement: what relative dither is measured by

  StepStatistics& operator+=(const StepStatistics& o) {
    finite += o.finite;
    nonfinite += o.nonfinite;
    nonzero += o.nonzero;
    s_dot_v += o.s_dot_v;
    v_dot_v += o.v_dot_v;
    u_dot_u += o.u_dot_u;
    return *this;
  }
};

}  // namespace signstep
