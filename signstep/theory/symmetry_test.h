// SPDX-License-Identifier: Apache-2.0
// Is a sample symmetric about some centre, which is not known? The triples test of Randles, Fligner, Policello, Wolfe
// 1980, "An asymptotically distribution-free test for symmetry versus asymmetry", JASA 75(369). (The signed-rank test
// needs the centre; centring at the sample mean invalidates it.)
//
// A triple leans right when its mean is above its median. eta = P(right) - P(left), over 3, is 0 under symmetry;
// T = eta / its estimated standard deviation is asymptotically standard normal. Level and power at 256 draws, level 5
// %, over 1000 samples each (tests/theory): Gaussian 5 %, Student-t(3) 6 %; gamma(16), skewness 0.5: 79 %; exponential:
// 100 %.
#pragma once

#include <span>

namespace signstep {

struct SymmetryTest {
  double eta = 0;      // in [-1/3, 1/3]; positive: the right tail is longer
  double z = 0;        // T; 0 where all triples tie
  double p_value = 1;  // two-sided
};

// 10 values or more, in any order. Few values of another law than the Gaussian are rejected more often than the level
// says; of 1000 symmetric samples, at level 5 %, with a standard error of 0.7 to 1 (two bumps: NoiseKind::kBimodal):
//     n     Gaussian  uniform  Laplace  t(3)  Cauchy  two bumps
//     20    5.3 %     6.3      5.9      8.3   9.7     13.7
//     64    5.7       7.5      5.9      6.9   7.8     7.5
//     256   5.3       7.6      5.0      5.5   5.8     5.3
// Cost O(n^2): about 1 ms at 256.
SymmetryTest triples_test(std::span<const float> values);

// The same from the definition, O(n^3).
SymmetryTest triples_test_ref(std::span<const float> values);

}  // namespace signstep
