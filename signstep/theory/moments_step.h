// SPDX-License-Identifier: Apache-2.0
// Internal to the moments: the recurrences (Pebay 2008, equations 2.1 and 3.1), written once for double and for
// vectors.
#pragma once

#include <cstdint>

namespace signstep {

// What the n-th value needs of n; products of small integers are exact.
struct MomentFactors {
  double inverse, n1, n2, n4;  // 1 / n, n - 1, n - 2, n^2 - 3 n + 3
  explicit MomentFactors(uint64_t count) {
    const auto n = static_cast<double>(count);
    inverse = 1 / n;
    n1 = n - 1;
    n2 = n - 2;
    n4 = n * n - 3 * n + 3;
  }
};

// Adds x to (mean, m2, m3, m4). One order of operations, so that a scalar and a vector lane get the same bits.
inline void moments_add(double x, const MomentFactors& f, double& mean, double& m2, double& m3, double& m4) {
  const double delta = x - mean, d = delta * f.inverse, d2 = d * d, t = delta * d * f.n1;
  m4 = m4 + (t * d2 * f.n4 + (6 * d2 * m2 - 4 * d * m3));
  m3 = m3 + (t * d * f.n2 - 3 * d * m2);
  m2 = m2 + t;
  mean = mean + d;
}

}  // namespace signstep
