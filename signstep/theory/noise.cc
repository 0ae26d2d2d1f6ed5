// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/noise.h"

#include <array>
#include <bit>
#include <cmath>
#include <numbers>

namespace signstep {
namespace {

constexpr double kPi = std::numbers::pi, kRoot2 = std::numbers::sqrt2, kRoot3 = std::numbers::sqrt3;
constexpr double kCentre = 0.95;  // of the bimodal law's two bumps
const double kBump = std::sqrt(1 - kCentre * kCentre);

double phi(double z) { return 0.5 * std::erfc(-z / kRoot2); }

// Number of `batch` fair coins that fall heads; with `twice`, of pairs of coins that both do.
uint32_t heads(uint32_t batch, bool twice, SequentialRandom& random) {
  uint32_t count = 0;
  for (uint32_t left = batch; left > 0;) {
    const uint32_t here = left < 32 ? left : 32;
    uint32_t word = random.next();
    if (twice) word &= random.next();
    count += static_cast<uint32_t>(std::popcount(here == 32 ? word : word & ((1u << here) - 1)));
    left -= here;
  }
  return count;
}

// Gamma with that shape, at least 1, and scale 1.
double gamma(double shape, SequentialRandom& random) {
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), v = std::pow(1 + c * x, 3), u = 1 - random.uniform();
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

// Bailey's polar method for t(3), over sqrt 3.
double student(SequentialRandom& random) {
  const double u = 1 - random.uniform();
  return std::sqrt(1 / std::cbrt(u * u) - 1) * std::cos(2 * kPi * random.uniform());
}

}  // namespace

std::span<const NoiseKind> all_noises() {
  static constexpr std::array kAll = {NoiseKind::kGaussian, NoiseKind::kLaplace, NoiseKind::kUniform,
                                      NoiseKind::kStudentT, NoiseKind::kSkewed,  NoiseKind::kBimodal};
  return kAll;
}

const char* noise_name(NoiseKind kind) {
  static constexpr std::array kNames = {"gaussian", "laplace", "uniform", "student-t", "skewed", "bimodal"};
  return kNames[static_cast<size_t>(kind)];
}

bool is_symmetric_unimodal(NoiseKind kind) { return kind != NoiseKind::kSkewed && kind != NoiseKind::kBimodal; }

double third_moment(NoiseKind kind) { return kind == NoiseKind::kSkewed ? 2 / kRoot3 : 0; }

double noise_cdf(NoiseKind kind, double x) {
  switch (kind) {
    case NoiseKind::kGaussian: return phi(x);
    case NoiseKind::kLaplace: return x < 0 ? 0.5 * std::exp(kRoot2 * x) : 1 - 0.5 * std::exp(-kRoot2 * x);
    case NoiseKind::kUniform: return std::fmin(std::fmax(0.5 + x / (2 * kRoot3), 0), 1);
    case NoiseKind::kStudentT: return 0.5 + (x / (1 + x * x) + std::atan(x)) / kPi;  // x = t / sqrt 3
    case NoiseKind::kSkewed: return x < -1 / kRoot3 ? 0 : x < kRoot3 ? 0.75 : 1;
    case NoiseKind::kBimodal: return 0.5 * (phi((x - kCentre) / kBump) + phi((x + kCentre) / kBump));
  }
  return 0;
}

double noise_mean(NoiseKind kind, uint32_t batch, SequentialRandom& random) {
  const double n = batch;
  double sum = 0;
  switch (kind) {
    case NoiseKind::kGaussian: return random.normal() / std::sqrt(n);
    case NoiseKind::kLaplace: {
      const double up = gamma(n, random);
      return (up - gamma(n, random)) / (kRoot2 * n);
    }
    case NoiseKind::kUniform:
      for (uint32_t i = 0; i < batch; ++i) sum += random.next() + 0.5;
      return (sum * 0x1p-32 / n - 0.5) * 2 * kRoot3;
    case NoiseKind::kStudentT:
      for (uint32_t i = 0; i < batch; ++i) sum += student(random);
      return sum / n;
    case NoiseKind::kSkewed: return (heads(batch, true, random) * (4 / kRoot3) / n) - 1 / kRoot3;
    case NoiseKind::kBimodal:
      return kCentre * (2 * heads(batch, false, random) / n - 1) + kBump * random.normal() / std::sqrt(n);
  }
  return 0;
}

}  // namespace signstep
