// SPDX-License-Identifier: Apache-2.0
// What the theory's quantities are over the coordinates of a tensor, from a reference gradient, the moments of K draws
// and how often each draw's sign failed. Sums throughout, so that tensors add up to layers and networks.
//
// The reference g has an error of its own, rho sigma_i in coordinate i. It would fake signal where there is none, so
// g^2 is debiased: S^2 = max(0, g^2 / sigma^2 - rho^2). rho^2 is 1/K when the reference is the mean of the same draws;
// for an independent reference it is measured: the mean of (mean of draws - g)^2 / s^2 over coordinates, s^2 being the
// draws' variance, has the expectation (rho^2 + 1/K) (K - 1) / (K - 3) for Gaussian noise. What is cut off at 0 is
// biased upwards all the same: a coordinate without signal keeps 0.48 rho^2 of S^2 and 0.34 rho of S in the mean. So
// sums that go by g^2 take g times the mean of the draws, m, where the two are independent: no error enters squared.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "signstep/parallel/executor.h"
#include "signstep/theory/coordinate_sample.h"
#include "signstep/theory/moments.h"

namespace signstep {

// Bins of S, four a decade from 1e-4 to 100; what is smaller or larger is in the first or last.
inline constexpr size_t kSnrBins = 24;
size_t snr_bin(double snr);
double snr_bin_edge(size_t bin);  // lower edge

// Dither as multiples of the tensor's rms of the mini-batch gradient: the `relative` levels of SignSGD, whose sign is
// of that gradient. Signum and Lion take the sign of an average, whose rms is smaller (average_noise).
inline constexpr std::array<double, 7> kDitherLevels = {0, 0.25, 0.5, 1, 2, 4, 8};
inline constexpr size_t kLevels = kDitherLevels.size();

struct SnrBin {
  double count = 0, failures = 0, bound = 0;  // coordinates; sums over them of the failure rate and of p(S)
  double magnitude = 0;                       // and of |g|, debiased
};

struct SnrProfile {
  double coordinates = 0;                    // all of them
  double silent = 0;                         // neither gradient nor noise, in no other figure
  double below_floor = 0;                    // S debiased to 0
  double high = 0;                           // S above 2/sqrt 3
  double weight = 0;                         // sum of w(S)
  double l1_raw = 0, l1 = 0;                 // sum of |g|; debiased
  double squares_raw = 0, squares = 0;       // sum of g^2; unbiased, so it may be negative: of g m, or of g^2 less
                                             // rho^2 sigma^2 where the reference is the draws' mean
  double noise = 0;                          // sum of sigma^2
  double weighted = 0;                       // SNR-weighted stationarity, sum of |g| w(S); g m / (sigma sqrt 3) for
                                             // small S and an independent reference
  double skewness_square = 0, kurtosis = 0;  // sums over coordinates with noise; the former less what K draws
                                             // of a Gaussian have, 6 (K - 2) / ((K + 1) (K + 3))
  double with_noise = 0;
  std::array<SnrBin, kSnrBins> bins;
  // At each dither level: sum of |g| w(S), which is promised; of g E[sign], which the draws' four moments predict; and
  // of |g*| / sigma, the fixed point's distance from 0.
  std::array<double, kLevels> promised{}, predicted{}, fixed_point{};

  SnrProfile& operator+=(const SnrProfile& other);
  double density() const { return squares_raw > 0 ? l1_raw * l1_raw / (coordinates * squares_raw) : 0; }
};

// How many draws were positive and negative, per coordinate; the rest were 0. At most 65535 draws, 4 bytes a
// coordinate.
class SignCounts {
 public:
  explicit SignCounts(size_t coordinates) : positive_(coordinates, 0), negative_(coordinates, 0) {}
  void add(std::span<const float> draw, Executor& executor);
  // Of the draws at coordinate i, how many did not have the sign of a reference that is not 0.
  double failures(size_t i, double reference, uint64_t draws) const {
    return static_cast<double>(draws) - (reference > 0 ? positive_[i] : negative_[i]);
  }

 private:
  std::vector<uint16_t> positive_, negative_;
};

struct Draws {
  std::span<const float> reference;
  const CoordinateMoments& moments;  // of K >= 2 draws
  const SignCounts& signs;           // of the same
  bool independent = true;           // the reference is not the mean of these draws
};

// (K - 3) / (K - 1): what the mean of a square over s^2 is to be multiplied by; 1 where K is no more than 3, and then
// that mean has no expectation.
inline double variance_ratio_factor(double draws) { return draws > 3 ? (draws - 3) / (draws - 1) : 1; }

// rho^2 over all the tensors, at least 0.
double reference_variance(const Draws& draws, std::span<const TensorRange> tensors, Executor& executor);

// sqrt of the mean of g^2 + sigma^2 over each tensor: what relative dither is relative to.
std::vector<double> gradient_rms(const Draws& draws, std::span<const TensorRange> tensors, Executor& executor);

// One profile a tensor; the same bits for any executor.
std::vector<SnrProfile> snr_profiles(const Draws& draws, std::span<const TensorRange> tensors, double variance,
                                     std::span<const double> rms, Executor& executor);

}  // namespace signstep
