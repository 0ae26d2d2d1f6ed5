// SPDX-License-Identifier: Apache-2.0
// Moments up to order four in one pass, without the cancellation of E[x^2] - mean^2.
// Sources: Welford 1962, Technometrics 4(3); Chan, Golub, LeVeque 1983, Am. Stat. 37(3), for merging; orders three and
// four: Pebay 2008, Sandia report SAND2008-6212. The recurrences are in moments_step.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/parallel/executor.h"

namespace signstep {

// Of one variable: m_p is the sum over the n values of (x - mean)^p.
struct Moments {
  uint64_t n = 0;
  double mean = 0, m2 = 0, m3 = 0, m4 = 0;

  void add(double x);
  void merge(const Moments& other);  // as if other's values had been added, up to rounding

  double variance() const { return n < 2 ? 0 : m2 / static_cast<double>(n - 1); }  // unbiased
  double standard_error() const;                                                   // of the mean
  double third() const { return n == 0 ? 0 : m3 / static_cast<double>(n); }        // central, divided by n
  double skewness() const;         // m3/n / (m2/n)^1.5; 0 without spread
  double excess_kurtosis() const;  // m4/n / (m2/n)^2 - 3; 0 without spread
};

// Of every coordinate of a stream of float vectors: 32 bytes a coordinate, 341 MiB for 11.2 million. Each coordinate's
// result has the bits of Moments::add in the same order, for any thread count and SIMD target.
class CoordinateMoments {
 public:
  explicit CoordinateMoments(size_t coordinates);

  // One vector, coordinates() long; all are finite. Moves 68 bytes a coordinate.
  void add(std::span<const float> x, Executor& executor);
  // Disjoint draws of the same coordinates. Bits of Moments::merge.
  void merge(const CoordinateMoments& other, Executor& executor);

  uint64_t draws() const { return n_; }
  size_t coordinates() const { return mean_.size(); }
  Moments at(size_t i) const { return {n_, mean_[i], m2_[i], m3_[i], m4_[i]}; }

 private:
  uint64_t n_ = 0;
  std::vector<double> mean_, m2_, m3_, m4_;
};

// The sums of several such streams, added in index order: what CoordinateMoments must equal.
std::vector<Moments> moments_ref(std::span<const std::vector<float>> draws);

}  // namespace signstep
