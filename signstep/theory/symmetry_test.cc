// SPDX-License-Identifier: Apache-2.0
#include "signstep/theory/symmetry_test.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace signstep {
namespace {

// 3 eta's kernel: the sign of (mean - median) of a triple, +1 right, -1 left, 0 tied. Doubles of floats add exactly
// enough: a + c - 2 b errs only where the exponents differ by more than 28.
int lean(double a, double b, double c) {
  const auto sign = [](double v) { return (v > 0) - (v < 0); };
  return sign(a + b - 2 * c) + sign(a + c - 2 * b) + sign(b + c - 2 * a);
}

// pair[i n + j], i < j, is the sum of lean(x_i, x_j, x_k) over all k. Equations (2.3) to (2.6) of the paper, whose f*
// is lean / 3; the sums are exact integers.
SymmetryTest from_pair_sums(const std::vector<int32_t>& pair, size_t count) {
  int64_t total = 0, squares = 0;
  std::vector<int64_t> one(count, 0);  // of every triple with i, twice
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = i + 1; j < count; ++j) {
      const int64_t p = pair[i * count + j];
      total += p;
      squares += p * p;
      one[i] += p;
      one[j] += p;
    }
  }
  const auto n = static_cast<double>(count);
  const double triples = n * (n - 1) * (n - 2) / 6, pairs = n * (n - 1) / 2, unit = 3 * (n - 2);
  SymmetryTest test;
  test.eta = static_cast<double>(total) / 3 / 3 / triples;  // each triple has three pairs
  double zeta1 = 0;
  for (const int64_t o : one) {
    const double off = static_cast<double>(o) / 2 / 3 / ((n - 1) * (n - 2) / 2) - test.eta;
    zeta1 += off * off / n;
  }
  const double zeta2 = static_cast<double>(squares) / (unit * unit * pairs) - test.eta * test.eta;
  const double zeta3 = 1.0 / 9 - test.eta * test.eta;
  const double variance = (3 * (n - 3) * (n - 4) / 2 * zeta1 + 3 * (n - 3) * zeta2 + zeta3) / triples;
  // Where every triple leans to one side nothing varies: there is no sample less symmetric.
  const bool all_lean = std::fabs(test.eta) > 1.0 / 3 - 1e-12;
  test.z = total == 0                  ? 0
           : all_lean || variance <= 0 ? std::copysign(HUGE_VAL, test.eta)
                                       : test.eta / std::sqrt(variance);
  test.p_value = std::erfc(std::fabs(test.z) / std::sqrt(2.0));
  return test;
}

}  // namespace

// For sorted values and a pair p <= q a third value t leans the triple by its side of a border: t < p right of 2 p - q,
// t between left of (p + q) / 2, t > q right of 2 q - p. The last two borders move right as q grows, the first as p
// grows, so counting is one walk per value.
SymmetryTest triples_test(std::span<const float> values) {
  std::vector<double> x(values.begin(), values.end());
  std::sort(x.begin(), x.end());
  const size_t n = x.size();
  std::vector<int32_t> pair(n * n, 0);
  struct Walk {
    size_t below = 0, upto = 0;
  };
  // How many of x[first, last) lie left of a border less how many lie right of it; side(t) is t - border or a positive
  // multiple. w remembers where the last walk ended.
  const auto balance = [&](Walk& w, size_t first, size_t last, auto&& side) {
    w.below = std::max(w.below, first);
    while (w.below < last && side(x[w.below]) < 0) ++w.below;
    w.upto = std::max(w.upto, w.below);
    while (w.upto < last && side(x[w.upto]) <= 0) ++w.upto;
    return static_cast<int32_t>(w.below - first) - static_cast<int32_t>(last - w.upto);
  };
  for (size_t i = 0; i < n; ++i) {
    Walk middle, above;
    for (size_t j = i + 1; j < n; ++j) {
      const double p = x[i], q = x[j];
      pair[i * n + j] = balance(middle, i + 1, j, [&](double t) { return 2 * t - p - q; }) -
                        balance(above, j + 1, n, [&](double t) { return p + t - 2 * q; });
    }
  }
  for (size_t j = 0; j < n; ++j) {
    Walk below;
    for (size_t i = 0; i < j; ++i) {
      const double p = x[i], q = x[j];
      pair[i * n + j] -= balance(below, 0, i, [&](double t) { return t + q - 2 * p; });
    }
  }
  return from_pair_sums(pair, n);
}

SymmetryTest triples_test_ref(std::span<const float> x) {
  const size_t n = x.size();
  std::vector<int32_t> pair(n * n, 0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      for (size_t k = 0; k < n; ++k)
        if (i != j && i != k && j != k) pair[i * n + j] += lean(x[i], x[j], x[k]);
  return from_pair_sums(pair, n);
}

}  // namespace signstep
